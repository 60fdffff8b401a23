//! Mail by POP3 (RFC 1939): the plan of one check, and the driver that carries it out.

pub(crate) mod download;
pub(crate) mod driver;
pub mod plan;
