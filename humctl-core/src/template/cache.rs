//! Templates that were parsed already: one Definition makes many resources, in
//! many Environments, and its templates are parsed once for all of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Error, Template};

/// Most templates that are kept, and their bytes together. When there are more,
/// all are forgotten: whoever comes again is parsed again.
const MAX_TEMPLATES: usize = 4096;
const MAX_BYTES: usize = 4 * super::MAX_BYTES;

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

#[derive(Default)]
struct Known {
    templates: HashMap<Rc<str>, Rc<Template>>,
    n_bytes: usize,
}

/// As [`Template::parse`], and keeps what is parsed.
pub(super) fn parse(text: &str) -> Result<Rc<Template>, Error> {
    KNOWN.with_borrow_mut(|known| {
        if let Some(template) = known.templates.get(text) {
            return Ok(Rc::clone(template));
        }
        let template = Rc::new(Template::parse(text)?);
        if known.templates.len() >= MAX_TEMPLATES || known.n_bytes + text.len() > MAX_BYTES {
            *known = Known::default();
        }
        known.n_bytes += text.len();
        known.templates.insert(Rc::clone(&template.text), Rc::clone(&template));
        Ok(template)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n_known() -> usize {
        KNOWN.with_borrow(|known| known.templates.len())
    }

    #[test]
    fn a_text_is_parsed_once_and_wrong_ones_are_not_kept() {
        let first = parse("{{ .once }}").unwrap();
        assert!(Rc::ptr_eq(&first, &parse("{{ .once }}").unwrap()));
        let n_before = n_known();
        for _ in 0..2 {
            assert!(parse("{{ .wrong").is_err());
        }
        assert_eq!(n_known(), n_before);
    }

    #[test]
    fn what_is_kept_is_limited_in_number_and_in_bytes() {
        for number in 0..=MAX_TEMPLATES {
            parse(&number.to_string()).unwrap();
        }
        assert!(n_known() <= MAX_TEMPLATES);
        for number in 0..5 {
            parse(&format!("{number}{}", "x".repeat(super::super::MAX_BYTES - 1))).unwrap();
            assert!(KNOWN.with_borrow(|known| known.n_bytes) <= MAX_BYTES);
        }
    }
}
