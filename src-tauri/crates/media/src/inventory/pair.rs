//! Which stream of one file is which of the other.

use super::StreamEntry;

/// Whether two streams of one kind may be a pair.
type Fits<'a> = &'a dyn Fn(&StreamEntry, &StreamEntry) -> bool;

/// Pairs streams of the same kind: those with the same language and name first, then those with
/// the same language, then the rest, each time in their order. Gives positions.
pub(crate) fn pair(a: &[StreamEntry], b: &[StreamEntry]) -> Vec<(Option<usize>, Option<usize>)> {
    let name = |s: &StreamEntry| {
        let find = |wanted: &str| {
            let tag = s
                .info
                .tags
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(wanted));
            tag.map(|(_, value)| value.clone())
        };
        find("title").or_else(|| find("filename"))
    };
    let same_name =
        |a: &StreamEntry, b: &StreamEntry| a.info.language == b.info.language && name(a) == name(b);
    let same_language = |a: &StreamEntry, b: &StreamEntry| a.info.language == b.info.language;
    let any = |_: &StreamEntry, _: &StreamEntry| true;
    let passes: [Fits<'_>; 3] = [&same_name, &same_language, &any];
    let mut partner: Vec<Option<usize>> = vec![None; a.len()];
    let mut taken = vec![false; b.len()];
    for fits in passes {
        for (at, stream) in a.iter().enumerate() {
            if partner[at].is_some() {
                continue;
            }
            let found = b.iter().enumerate().find(|(place, other)| {
                !taken[*place] && other.scope == stream.scope && fits(stream, other)
            });
            if let Some((place, _)) = found {
                taken[place] = true;
                partner[at] = Some(place);
            }
        }
    }
    let mut pairs: Vec<_> = partner
        .into_iter()
        .enumerate()
        .map(|(at, place)| (Some(at), place))
        .collect();
    let extra = taken.iter().enumerate().filter(|(_, taken)| !**taken);
    pairs.extend(extra.map(|(place, _)| (None, Some(place))));
    pairs
}
