//! Requests made ahead, of which at most a serial number changes.

use std::sync::atomic::{AtomicU64, Ordering};

/// The place of the serial number in a template: eight digits, so that the length stays.
pub const SERIAL: &str = "77777777";
/// Serial numbers start here and are never used twice in a run.
static NEXT_SERIAL: AtomicU64 = AtomicU64::new(10_000_000);

/// A request made ahead, of which at most a serial number changes.
pub struct Template {
    bytes: Vec<u8>,
    serial_at: Option<usize>,
}

impl Template {
    /// A request that is the same each time.
    pub fn fixed(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            serial_at: None,
        }
    }

    /// A request in which [`SERIAL`] is replaced by another number each time.
    pub fn numbered(bytes: Vec<u8>) -> Self {
        let serial = SERIAL.as_bytes();
        let serial_at = bytes
            .windows(serial.len())
            .position(|window| window == serial);
        Self { bytes, serial_at }
    }

    /// The template's own copy for one connection.
    pub fn copy(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Writes the next request into a buffer.
    #[cfg(feature = "load")]
    pub fn write(&self, buffer: &mut Vec<u8>) {
        buffer.clear();
        buffer.extend_from_slice(&self.bytes);
        self.renew(buffer);
    }

    /// Makes a connection's copy into the next request.
    pub fn renew(&self, copy: &mut [u8]) {
        let Some(at) = self.serial_at else { return };
        let mut rest = NEXT_SERIAL.fetch_add(1, Ordering::Relaxed);
        let digits = copy.get_mut(at..at + SERIAL.len()).unwrap_or_default();
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbered_requests_differ_only_in_their_number() {
        let template = Template::numbered(b"{\"folio\":77777777,\"x\":1}".to_vec());
        let (mut first, mut second) = (template.copy(), template.copy());
        template.renew(&mut first);
        template.renew(&mut second);
        assert_ne!(first, second);
        for request in [first, second] {
            let text = String::from_utf8(request).unwrap();
            let digits = text
                .strip_prefix("{\"folio\":")
                .unwrap()
                .strip_suffix(",\"x\":1}")
                .unwrap();
            assert!(
                digits.len() == 8 && digits.parse::<u64>().unwrap() >= 10_000_000,
                "{digits}"
            );
        }
        let fixed = Template::fixed(b"77777777".to_vec());
        let mut copy = fixed.copy();
        fixed.renew(&mut copy);
        assert_eq!(copy, b"77777777");
    }
}
