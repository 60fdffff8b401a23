//! SCRAM-SHA-256 without channel binding (RFC 5802, RFC 7677).

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use posthorn_model::{ErrorClass, Secret};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::Error;

/// RFC 7677, section 4 names 4096 as the least; the most is what a slow machine bears without a pause.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

type Sum = [u8; 32];

pub(super) struct Scram {
    password: Secret,
    nonce: String,
    /// `n=user,r=nonce`.
    bare: String,
    step: Step,
}

enum Step {
    First,
    Challenged,
    /// The signature that the server must show.
    Proving(Zeroizing<Vec<u8>>),
    Proven,
}

/// Bytes enough that no two logins share them.
pub(super) fn nonce(host: &str) -> Result<String, Error> {
    let mut bytes = [0_u8; 18];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(ErrorClass::Bug, host, "the system gives no random numbers"))?;
    Ok(BASE64.encode(bytes))
}

/// RFC 5802, section 5.1.
pub(super) fn escape_name(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

impl Scram {
    pub(super) fn new(username: &str, password: &Secret, nonce: &str) -> Self {
        Self {
            password: password.clone(),
            nonce: nonce.to_owned(),
            bare: format!("n={},r={nonce}", escape_name(username)),
            step: Step::First,
        }
    }

    /// The client-first-message, once.
    pub(super) fn first(&mut self) -> Option<String> {
        matches!(self.step, Step::First).then(|| {
            self.step = Step::Challenged;
            format!("n,,{}", self.bare)
        })
    }

    pub(super) const fn is_proven(&self) -> bool {
        matches!(self.step, Step::Proven)
    }

    pub(super) fn answer(&mut self, host: &str, text: &str) -> Result<String, Error> {
        match &self.step {
            Step::First | Step::Challenged => self.prove(host, text),
            Step::Proving(expected) => {
                let shown = attribute(text, 'v').and_then(|value| BASE64.decode(value).ok());
                if shown.as_deref() == Some(expected.as_slice()) {
                    self.step = Step::Proven;
                    return Ok(String::new());
                }
                if attribute(text, 'e').is_some() {
                    // The refusal itself follows in the protocol's own words.
                    return Ok(String::new());
                }
                Err(Error::protocol(
                    host,
                    "the server could not prove that it knows the password",
                ))
            }
            Step::Proven => Err(Error::protocol(
                host,
                "the server asks on after the login is said",
            )),
        }
    }

    fn prove(&mut self, host: &str, server_first: &str) -> Result<String, Error> {
        let broken = || Error::protocol(host, "the server's challenge at login breaks RFC 5802");
        let nonce = attribute(server_first, 'r').ok_or_else(broken)?;
        let salt = attribute(server_first, 's')
            .and_then(|salt| BASE64.decode(salt).ok())
            .ok_or_else(broken)?;
        let iterations: u32 = attribute(server_first, 'i')
            .and_then(|count| count.parse().ok())
            .ok_or_else(broken)?;
        // A mandatory extension comes first and must be understood (RFC 5802, section 5.1).
        let extended = server_first.starts_with("m=");
        if extended || !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() || nonce.len() > 512
        {
            return Err(broken());
        }
        if !ITERATIONS.contains(&iterations) {
            return Err(Error::protocol(
                host,
                format!("the server asks for {iterations} rounds of hashing at login"),
            ));
        }
        let salted = Zeroizing::new(stretch(self.password.reveal(), &salt, iterations));
        let client_key = Zeroizing::new(sign(salted.as_slice(), &[b"Client Key"]));
        let stored_key = Sha256::digest(client_key.as_slice());
        let without_proof = format!("c=biws,r={nonce}");
        let signed = [
            self.bare.as_bytes(),
            b",",
            server_first.as_bytes(),
            b",",
            without_proof.as_bytes(),
        ];
        let signature = sign(&stored_key, &signed);
        let mut proof = *client_key;
        exclusive_or(&mut proof, &signature);
        let server_key = sign(salted.as_slice(), &[b"Server Key"]);
        self.step = Step::Proving(Zeroizing::new(sign(&server_key, &signed).to_vec()));
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)))
    }
}

fn attribute(message: &str, name: char) -> Option<&str> {
    message
        .split(',')
        .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn sign(key: &[u8], parts: &[&[u8]]) -> Sum {
    // HMAC takes keys of any length: the error cannot happen, and a wrong signature would only be refused.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Sum::default();
    };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// `Hi` of RFC 5802, section 2.2: PBKDF2 with one block.
fn stretch(password: &str, salt: &[u8], iterations: u32) -> Sum {
    let mut turn = sign(password.as_bytes(), &[salt, &1_u32.to_be_bytes()]);
    let mut sum = turn;
    for _ in 1..iterations {
        turn = sign(password.as_bytes(), &[&turn]);
        exclusive_or(&mut sum, &turn);
    }
    sum
}

fn exclusive_or(into: &mut Sum, with: &Sum) {
    for (left, right) in into.iter_mut().zip(with) {
        *left ^= right;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3.
    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn started() -> Scram {
        let mut scram = Scram::new("user", &Secret::new("pencil".into()), "rOprNGfwEbeRWgbNEkqO");
        assert_eq!(scram.first().as_deref(), Some("n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
        assert_eq!(scram.first(), None);
        scram
    }

    #[test]
    fn follows_the_example_of_rfc_7677() {
        let mut scram = started();
        assert_eq!(
            scram.answer("h", SERVER_FIRST).expect("proof"),
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
             p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert!(!scram.is_proven());
        let server_final = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
        assert_eq!(scram.answer("h", server_final).expect("proven"), "");
        assert!(scram.is_proven());
    }

    #[test]
    fn an_impostor_is_found_out() {
        let mut scram = started();
        scram.answer("h", SERVER_FIRST).expect("proof");
        assert!(
            scram
                .answer("h", "v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
                .is_err()
        );
        assert!(!scram.is_proven());
    }

    #[test]
    fn refuses_bad_challenges() {
        let check = |text: &str| assert!(started().answer("h", text).is_err(), "{text:?}");
        check("");
        check("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        check("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
        check("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1");
        check("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4000000000");
        check("r=rOprNGfwEbeRWgbNEkqOx,s=???,i=4096");
        check("m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    }
}
