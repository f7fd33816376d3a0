//! However the bytes are cut, the events are the same.

use proptest::prelude::*;

use super::*;

/// The events of a text that comes in pieces of this size, and how many comments there were.
fn decode(bytes: &[u8], piece: usize) -> Result<(Vec<(String, String)>, usize), TooLong> {
    let mut decoder = Decoder::new(1000);
    let (mut events, mut comments) = (Vec::new(), 0);
    for piece in bytes.chunks(piece) {
        decoder.feed(Bytes::copy_from_slice(piece));
        while let Some(frame) = decoder.next()? {
            match frame {
                Frame::Comment => comments += 1,
                Frame::Event(Event { name, data }) => events.push((
                    String::from_utf8(name).unwrap(),
                    String::from_utf8(data).unwrap(),
                )),
            }
        }
    }
    Ok((events, comments))
}

fn whole(text: &str) -> Vec<(String, String)> {
    decode(text.as_bytes(), usize::MAX).unwrap().0
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter()
        .map(|(name, data)| ((*name).to_owned(), (*data).to_owned()))
        .collect()
}

#[test]
fn the_grammar() {
    for (text, expected) in [
        ("event: a\ndata: 1\n\n", &[("a", "1")][..]),
        ("data: 1\r\rdata:2\r\n\r\n", &[("", "1"), ("", "2")]),
        ("data:  two spaces\n\n", &[("", " two spaces")]),
        ("data: a\ndata\ndata: b\n\n", &[("", "a\n\nb")]),
        ("data\n\n", &[("", "")]),
        ("event: a\nevent: b\ndata: x:y\n\n", &[("b", "x:y")]),
        ("event: only a name\n\ndata: 1\n\n", &[("", "1")]),
        ("id: 7\nretry: 9\nfoo\nnew: x\ndata: 1\n\n", &[("", "1")]),
        ("\u{feff}data: 1\n\n", &[("", "1")]),
        ("\n\n\n: hello\n\n", &[]),
        ("data: never ended\n", &[]),
        ("data: ñandú €\u{1f980}\n\n", &[("", "ñandú €\u{1f980}")]),
    ] {
        assert_eq!(whole(text), pairs(expected), "{text:?}");
        for piece in 1..6 {
            let (events, _) = decode(text.as_bytes(), piece).unwrap();
            assert_eq!(events, pairs(expected), "{text:?} in pieces of {piece}");
        }
    }
}

#[test]
fn a_comment_is_a_sign_of_life_even_within_an_event() {
    let (events, comments) = decode(b"data: a\n: one\ndata: b\n\n:two\n\n", 1).unwrap();
    assert_eq!(events, pairs(&[("", "a\nb")]));
    assert_eq!(comments, 2);
}

#[test]
fn a_carriage_return_at_the_end_of_a_chunk_ends_the_line_at_once() {
    let mut decoder = Decoder::new(100);
    decoder.feed(Bytes::from_static(b"data: 1\r\n\r"));
    assert!(decoder.next().unwrap().is_some());
    decoder.feed(Bytes::from_static(b"\ndata: 2\n\n"));
    let event = Event {
        name: Vec::new(),
        data: b"2".to_vec(),
    };
    assert_eq!(decoder.next().unwrap(), Some(Frame::Event(event)));
}

#[test]
fn lines_and_events_have_a_limit() {
    let fits = format!("data: {}\n\n", "x".repeat(994));
    for piece in [1, 7, 4096] {
        assert!(decode(fits.as_bytes(), piece).is_ok());
        let long = format!("data: {}\n\n", "x".repeat(995));
        assert_eq!(decode(long.as_bytes(), piece), Err(TooLong));
        let endless = "x".repeat(2000);
        assert_eq!(decode(endless.as_bytes(), piece), Err(TooLong));
        let many_lines = "data: 1234567890\n".repeat(200);
        assert_eq!(decode(many_lines.as_bytes(), piece), Err(TooLong));
    }
}

proptest! {
    #[test]
    fn any_bytes_decode_the_same_however_they_are_cut(
        bytes in proptest::collection::vec(
            prop_oneof![
                Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), any::<u8>(),
            ],
            0..300,
        ),
        piece in 1_usize..20,
    ) {
        let frames = |piece: usize| {
            let mut decoder = Decoder::new(1000);
            let mut frames = Vec::new();
            for piece in bytes.chunks(piece) {
                decoder.feed(Bytes::copy_from_slice(piece));
                while let Ok(Some(frame)) = decoder.next() {
                    frames.push(frame);
                }
            }
            frames
        };
        prop_assert_eq!(frames(piece), frames(usize::MAX));
    }
}
