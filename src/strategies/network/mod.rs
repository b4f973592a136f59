//! Strategies for networks: addresses of hosts and machines, and what names them.

pub mod ip;
mod locator;
pub mod mac;
mod pan;
mod tokens;
pub mod url;
pub mod user_agent;
pub mod uuid;
