//! Extracts the certificate authorities that sign AWS endpoints from Mozilla's list and passes them to `src/roots.rs`
//! as PEM, so that a function neither contains 140 roots nor reads the system's at every cold start.

use std::path::PathBuf;

/// The roots' names in their subjects. New "Amazon Root CA n" are included automatically when the list gains them.
const WANTED: [&[u8]; 2] = [b"Amazon Root CA ", b"Starfield Services Root Certificate Authority - G2"];

/// Amazon Root CA 1 to 4 and Starfield Services G2: <https://www.amazontrust.com/repository/>.
const AT_LEAST: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut pem = String::new();
    let mut found = 0;
    for der in webpki_root_certs::TLS_SERVER_ROOT_CERTS {
        if !WANTED.iter().any(|name| contains(der, name)) {
            continue;
        }
        found += 1;
        let text = data_encoding::BASE64.encode(der);
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(std::str::from_utf8(line)?);
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    if found < AT_LEAST {
        return Err(format!("webpki-root-certs holds {found} of the {AT_LEAST} roots AWS endpoints chain to").into());
    }
    #[expect(clippy::disallowed_methods, reason = "cargo gives build scripts their directory this way")]
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    std::fs::write(out.join("amazon-roots.pem"), pem)?;
    Ok(())
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
