//! Properties of every strategy, on generated values: one file per family.

mod choose;
mod cipher;
mod conceal;
mod contact;
mod digest;
mod masks;
mod measure;
mod nested;
mod network;
mod payment;
mod person;
mod place;
mod promises;
mod prose;
mod token;
