//! Strategies for means of payment.

mod brand;
pub mod credit_card;
pub mod iban;
mod luhn;
mod national;
mod registry;
