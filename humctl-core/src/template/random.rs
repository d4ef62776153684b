//! A random source that gives the same for the same seed, on every machine
//! and in every version: blocks of SHA-256 over seed and counter.

/// Random numbers from a seed.
#[derive(Clone)]
pub struct Random {
    seed: [u8; 32],
    counter: u64,
    block: [u8; 32],
    n_left: usize,
    drawn: Vec<String>,
}

impl std::fmt::Debug for Random {
    /// Shows no seed: it may make passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random(…)")
    }
}

impl Random {
    /// Starts from a seed.
    #[must_use]
    pub fn seeded(seed: [u8; 32]) -> Self {
        Self { seed, counter: 0, block: [0; 32], n_left: 0, drawn: Vec::new() }
    }

    pub(super) fn byte(&mut self) -> u8 {
        if self.n_left == 0 {
            let mut input = [0; 40];
            input[..32].copy_from_slice(&self.seed);
            input[32..].copy_from_slice(&self.counter.to_le_bytes());
            self.block = crate::hash::sha256(&input);
            self.counter = self.counter.wrapping_add(1);
            self.n_left = self.block.len();
        }
        self.n_left -= 1;
        self.block[self.n_left]
    }

    pub(super) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A number below `end`, each as likely as the others; 0 when there is none.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        // Numbers above the last whole multiple would favour the small ones.
        let limit = u64::MAX - u64::MAX % end;
        loop {
            let number = u64::from_le_bytes(self.bytes());
            if number < limit {
                return number % end;
            }
        }
    }

    /// The texts that were drawn so far, which may be passwords.
    #[must_use]
    pub fn drawn(&self) -> &[String] {
        &self.drawn
    }

    /// Text of `n` characters of an alphabet of ASCII characters.
    pub(super) fn text(&mut self, n: usize, alphabet: &[u8]) -> String {
        let length = u64::try_from(alphabet.len()).unwrap_or_default();
        let text: String = (0..n)
            .filter_map(|_| {
                let index = usize::try_from(self.below(length)).ok()?;
                alphabet.get(index).copied().map(char::from)
            })
            .collect();
        self.drew(&text);
        text
    }

    /// Takes note of a text that was drawn byte by byte.
    pub(super) fn drew(&mut self, text: &str) {
        if !text.is_empty() {
            self.drawn.push(text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_text_forever() {
        let text = |seed: u8| Random::seeded([seed; 32]).text(16, b"abcdefghij");
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
        assert_eq!(text(0), "bdhihaadgjbciaig");
    }

    #[test]
    fn numbers_stay_below_their_end_and_reach_it() {
        let mut random = Random::seeded([7; 32]);
        let drawn: std::collections::BTreeSet<u64> = (0..1000).map(|_| random.below(10)).collect();
        assert_eq!(drawn, (0..10).collect());
    }
}
