//! The score of a match: `ts_rank` with normalisation 1 as PostgreSQL 15 to 18 compute it, to the last bit, so that a
//! list that memory began goes on in the database.

use std::f64::consts::LN_2;

/// Weights of the places marked D, C, B, A.
const WEIGHTS: [f32; 4] = [0.1, 0.2, 0.4, 1.0];
/// What a score is multiplied by to be a whole number, as in `list_products_relevance.sql`.
const SCALE: f64 = 1_000_000.0;
const POSITION_BITS: u16 = 14;

/// The position of a place.
pub(super) fn position(place: u16) -> u16 {
    place & ((1 << POSITION_BITS) - 1)
}

fn weight(place: u16) -> f32 {
    WEIGHTS[usize::from(place >> POSITION_BITS)]
}

/// Scores documents by the places of each lexeme of the search, given in the order of their bytes.
#[derive(Debug)]
pub(super) struct Rank {
    /// Whether the search is of lexemes that are all wanted, whose nearness counts.
    all_wanted: bool,
    /// How much a pair of lexemes counts by its distance.
    nearness: Vec<f32>,
}

const FAR: u16 = 100;

#[expect(clippy::float_arithmetic, reason = "a score is not money")]
impl Rank {
    pub(super) fn new(all_wanted: bool) -> Self {
        let nearness =
            |distance: u16| (1.0 / (1.005 + 0.05 * (f64::from(f32::from(distance)) / 1.5 - 2.0).exp())) as f32;
        Self { all_wanted, nearness: (0..=FAR).map(nearness).collect() }
    }

    /// The score of a document in which `count` places are kept in all.
    pub(super) fn score(&self, places: &[Option<&[u16]>], count: u16) -> i32 {
        let mut rank = if self.all_wanted && places.len() > 1 { self.together(places) } else { apart(places) };
        if rank < 0.0 {
            rank = 1e-20;
        }
        let rank = (f64::from(rank) / (f64::from(u32::from(count) + 1).ln() / LN_2)) as f32;
        (f64::from(rank) * SCALE).round_ties_even() as i32
    }

    /// By pairs of places: the nearer, the better.
    fn together(&self, places: &[Option<&[u16]>]) -> f32 {
        let mut rank: f32 = -1.0;
        for (n, here) in places.iter().enumerate() {
            let Some(here) = here else { continue };
            for there in places[..n].iter().flatten() {
                for (a, b) in here.iter().flat_map(|a| there.iter().map(move |b| (*a, *b))) {
                    let distance = position(a).abs_diff(position(b));
                    if distance == 0 {
                        continue;
                    }
                    let near = self.nearness.get(usize::from(distance)).copied().unwrap_or(1e-30);
                    let pair = f64::from(weight(a) * weight(b) * near).sqrt() as f32;
                    let both = |rank: f32| (1.0 - (1.0 - f64::from(rank)) * (1.0 - f64::from(pair))) as f32;
                    rank = if rank < 0.0 { pair } else { both(rank) };
                }
            }
        }
        rank
    }
}

/// By each lexeme alone: its best place counts most, the others less and less.
#[expect(clippy::float_arithmetic, reason = "a score is not money")]
fn apart(places: &[Option<&[u16]>]) -> f32 {
    let mut rank: f32 = 0.0;
    for places in places.iter().flatten() {
        let (mut sum, mut best, mut best_square): (f32, f32, f32) = (0.0, -1.0, 1.0);
        for (n, place) in (1_u16..).zip(*places) {
            let (weight, square) = (weight(*place), f32::from(n) * f32::from(n));
            sum += weight / square;
            if weight > best {
                (best, best_square) = (weight, square);
            }
        }
        // The sum of 1/n² over all n.
        rank = (f64::from(rank) + f64::from(best + sum - best / best_square) / 1.644_934_066_85) as f32;
    }
    match places.len() {
        0 => rank,
        lexemes => rank / f32::from(u16::try_from(lexemes).unwrap_or(u16::MAX)),
    }
}
