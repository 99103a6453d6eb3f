//! Searches as a load: words of the products' own names, some misspelt, some with counts by category.

use std::sync::Arc;

use serde::Deserialize;

use super::buying::Dice;
use super::client::Answer;
use super::run::{Asking, Verdict};
use crate::failure::Failure;

/// One answer in so many is read as a whole; of the others the beginning is compared.
const READ_EVERY: u64 = 64;
/// One search in so many is misspelt, and one in so many asks for counts.
const MISSPELT_EVERY: usize = 5;
const COUNTED_EVERY: usize = 4;
/// Letters of the shortest word that is misspelt.
const MISSPELT_LETTERS_MIN: usize = 6;

/// A search and what its answer must be.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    request: Vec<u8>,
    is_misspelt: bool,
    is_counted: bool,
}

/// One connection's searcher.
#[derive(Debug)]
pub(crate) struct Searching {
    searches: Arc<[Search]>,
    dice: Dice,
    current: usize,
    count: u64,
    /// Misspelt searches, and those of them that found nothing.
    pub(crate) misspelt: u64,
    pub(crate) lost: u64,
}

#[derive(Debug, Deserialize)]
struct List {
    data: Vec<serde_json::Value>,
    facets: Option<Facets>,
}

#[derive(Debug, Deserialize)]
struct Facets {
    categories: Vec<Count>,
}

#[derive(Debug, Deserialize)]
struct Count {
    count: usize,
}

/// So many searches for one to three words of a name each.
pub(crate) fn searches(names: &[&str], wanted: usize) -> Vec<Search> {
    let mut dice = Dice(7);
    let mut searches = Vec::new();
    // A catalogue without words that can be looked for gives none.
    for _ in 0..wanted * 10 {
        if searches.len() == wanted {
            break;
        }
        let name = names[dice.below(names.len())].to_lowercase();
        let words: Vec<&str> = name.split(' ').filter(|word| is_word(word)).collect();
        let most = words.len().min(1 + dice.below(3));
        let mut words: Vec<String> = words.into_iter().skip(dice.below(2)).take(most).map(str::to_owned).collect();
        let is_misspelt = searches.len() % MISSPELT_EVERY == 0;
        if is_misspelt {
            words.retain(|word| word.len() >= MISSPELT_LETTERS_MIN);
            words.truncate(1);
            words.iter_mut().for_each(|word| *word = misspelt(word, &mut dice));
        }
        if !words.is_empty() {
            searches.push(Search::new(&words, is_misspelt, searches.len() % COUNTED_EVERY == 0));
        }
    }
    searches
}

/// Whether anybody would look for it: PostgreSQL's stop words are shorter, but for a few.
fn is_word(word: &str) -> bool {
    word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_lowercase()) && !STOP_WORDS.contains(&word)
}

const STOP_WORDS: [&str; 9] = ["with", "from", "your", "this", "that", "have", "here", "when", "will"];

/// With two neighbours within it swapped.
fn misspelt(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = 1 + dice.below(letters.len() - 3);
    letters.swap(at, at + 1);
    letters.into_iter().collect()
}

impl Search {
    fn new(words: &[String], is_misspelt: bool, is_counted: bool) -> Self {
        let facets = if is_counted { "&facets=category" } else { "" };
        let path = format!("/v1/products?q={}{facets}", words.join("%20"));
        let request = format!("GET {path} HTTP/1.1\r\nHost: shop\r\nAccept: application/json\r\n\r\n");
        Self { request: request.into_bytes(), is_misspelt, is_counted }
    }
}

/// A searcher for each connection.
pub(crate) fn searchers(searches: &Arc<[Search]>, connections: usize) -> Vec<Searching> {
    let searcher = |number| Searching {
        searches: searches.clone(),
        dice: Dice(number),
        current: 0,
        count: 0,
        misspelt: 0,
        lost: 0,
    };
    (0..connections as u64).map(searcher).collect()
}

impl Asking for Searching {
    fn write(&mut self, request: &mut Vec<u8>) {
        self.current = self.dice.below(self.searches.len());
        request.extend_from_slice(&self.searches[self.current].request);
    }

    fn check(&mut self, answer: Answer<'_>) -> Result<Verdict, Failure> {
        let search = &self.searches[self.current];
        self.count += 1;
        let found = answer.status == 200 && answer.body.starts_with(b"{\"data\":[{\"id\":");
        let nothing = answer.status == 200 && answer.body.starts_with(b"{\"data\":[]");
        self.misspelt += u64::from(search.is_misspelt);
        self.lost += u64::from(search.is_misspelt && nothing);
        let is_right = found || (nothing && search.is_misspelt);
        if is_right && (!self.count.is_multiple_of(READ_EVERY) || search.reads(answer.body)) {
            return Ok(Verdict::Right);
        }
        let asked = String::from_utf8_lossy(&search.request);
        let (asked, body) = (asked.lines().next().unwrap_or_default(), String::from_utf8_lossy(answer.body));
        Err(Failure::new(format!("{asked} was answered {}: {body}", answer.status)))
    }
}

impl Search {
    /// Whether the answer is a page of at most 20, and no category holds less than one of its products.
    fn reads(&self, body: &[u8]) -> bool {
        serde_json::from_slice::<List>(body).is_ok_and(|list| {
            let has_counts =
                list.facets.as_ref().is_some_and(|facets| facets.categories.iter().all(|one| one.count > 0));
            list.data.len() <= 20 && has_counts == self.is_counted
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Asking, misspelt, searchers, searches};
    use crate::load::buying::Dice;
    use crate::load::client::Answer;

    #[test]
    fn searches_are_of_words_and_answers_are_compared() {
        let made = searches(&["WHITE HANGING HEART T-LIGHT HOLDER", "A B C"], 50);
        assert_eq!(made.len(), 50);
        let mut one = searchers(&made.into(), 1).remove(0);
        let mut request = Vec::new();
        one.write(&mut request);
        let text = String::from_utf8(request).unwrap();
        assert!(text.starts_with("GET /v1/products?q=") && !text.contains("light"), "{text}");
        let answer = |status, body: &'static str| Answer { status, head: &[], body: body.as_bytes() };
        assert!(one.check(answer(200, r#"{"data":[{"id":1}],"next_cursor":null}"#)).is_ok());
        assert!(one.check(answer(503, "{}")).is_err());
    }

    #[test]
    fn a_misspelt_word_has_the_same_letters() {
        for seed in 0..50 {
            let mut word: Vec<char> = misspelt("holder", &mut Dice(seed)).chars().collect();
            assert!(word[0] == 'h' && word[5] == 'r');
            word.sort_unstable();
            assert_eq!(word, ['d', 'e', 'h', 'l', 'o', 'r']);
        }
    }
}
