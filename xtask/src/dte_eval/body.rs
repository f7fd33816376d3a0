//! A document as text: finding, changing and removing its elements.

use std::ops::Range;

/// Where an element is in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// With its tags.
    pub whole: Range<usize>,
    /// Between its tags.
    pub inner: Range<usize>,
}

/// Every element of this name, as it comes; those without content (`<X/>`) aren't found.
pub fn places(text: &str, tag: &str) -> Vec<Place> {
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut places = Vec::new();
    let mut from = 0;
    while let Some(start) = find(text, &open, from) {
        let after = start + open.len();
        from = after;
        // `<IVA` also begins `<IVANoRet`.
        let exact = matches!(
            text.as_bytes().get(after),
            Some(b'>' | b' ' | b'\n' | b'\t' | b'\r')
        );
        let Some(head) = find(text, ">", after).filter(|_| exact) else {
            continue;
        };
        if text.as_bytes().get(head - 1) == Some(&b'/') {
            continue;
        }
        let Some(end) = find(text, &close, head) else {
            continue;
        };
        places.push(Place {
            whole: start..end + close.len(),
            inner: head + 1..end,
        });
        from = end;
    }
    places
}

fn find(text: &str, what: &str, from: usize) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| from + at)
}

/// The content of the first element of this name.
pub fn first<'t>(text: &'t str, tag: &str) -> Option<&'t str> {
    let place = places(text, tag).into_iter().next()?;
    text.get(place.inner).map(str::trim)
}

/// The text with a part replaced.
pub fn replaced(text: &str, part: Range<usize>, by: &str) -> Option<String> {
    Some([text.get(..part.start)?, by, text.get(part.end..)?].concat())
}

/// The text with the content of one element changed; `None` where there is none, or the
/// change wouldn't change anything.
pub fn change(
    text: &str,
    tag: &str,
    index: usize,
    by: impl FnOnce(&str) -> Option<String>,
) -> Option<String> {
    let place = places(text, tag).into_iter().nth(index)?;
    let old = text.get(place.inner.clone())?.trim();
    let new = by(old).filter(|new| new != old)?;
    replaced(text, place.inner, &new)
}

/// The text without any element of this name.
pub fn without(text: &str, tag: &str) -> Option<String> {
    let mut result = text.to_owned();
    let places = places(text, tag);
    places.first()?;
    for place in places.into_iter().rev() {
        result = replaced(&result, place.whole, "")?;
    }
    Some(result)
}

/// The text with something put before the first start or end of an element.
pub fn before(text: &str, mark: &str, what: &str) -> Option<String> {
    let at = text.find(mark)?;
    replaced(text, at..at, what)
}

/// The bodies of the documents in a file.
pub fn bodies(text: &str) -> Vec<&str> {
    let mut all: Vec<(usize, &str)> = ["Documento", "Exportaciones", "Liquidacion"]
        .iter()
        .flat_map(|tag| places(text, tag))
        .filter_map(|place| Some((place.whole.start, text.get(place.whole)?)))
        .collect();
    all.sort_by_key(|(start, _)| *start);
    all.into_iter().map(|(_, body)| body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "<Documento ID=\"x\"><IVANoRet>1</IVANoRet><IVA>2</IVA><X/><IVA>3</IVA></Documento>";

    #[test]
    fn elements_are_found_by_their_whole_name() {
        assert_eq!(places(TEXT, "IVA").len(), 2);
        assert_eq!(first(TEXT, "IVA"), Some("2"));
        assert_eq!(places(TEXT, "X"), []);
        assert_eq!(bodies(TEXT), [TEXT]);
        assert_eq!(bodies("<a>").len(), 0);
    }

    #[test]
    fn elements_are_changed_and_removed() {
        let changed = change(TEXT, "IVA", 1, |old| Some(format!("{old}0"))).unwrap();
        assert!(changed.contains("<IVA>2</IVA>") && changed.contains("<IVA>30</IVA>"));
        assert_eq!(change(TEXT, "IVA", 0, |old| Some(old.to_owned())), None);
        assert_eq!(change(TEXT, "Y", 0, |_| Some(String::new())), None);
        let gone = without(TEXT, "IVA").unwrap();
        assert!(gone.contains("IVANoRet") && !gone.contains("<IVA>"));
        assert_eq!(without(TEXT, "Y"), None);
        assert!(before(TEXT, "<X/>", "<Y/>").unwrap().contains("<Y/><X/>"));
    }
}
