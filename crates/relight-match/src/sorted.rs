//! Short lists in order, without doubles: most hold one item, and a tree of one takes ten times as
//! much room.

/// Puts an item in its place; one with the same key gives way.
pub(crate) fn put<T, K: Ord + ?Sized>(list: &mut Vec<T>, item: T, key: fn(&T) -> &K) {
    match list.binary_search_by(|it| key(it).cmp(key(&item))) {
        Ok(at) => list[at] = item,
        Err(at) => {
            // Doubling would leave most of the room of most lists empty.
            if list.len() == list.capacity() {
                list.reserve_exact(1 + list.len() / 4);
            }
            list.insert(at, item);
        }
    }
}

/// Takes the item with this key out, if there is one.
pub(crate) fn remove<T, K: Ord + ?Sized>(list: &mut Vec<T>, wanted: &K, key: fn(&T) -> &K) {
    if let Ok(at) = list.binary_search_by(|it| key(it).cmp(wanted)) {
        list.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use testkit::Rng;

    use super::*;

    #[test]
    fn a_list_is_what_a_tree_would_be() {
        let mut rng = Rng::new(1);
        let (mut list, mut tree) = (Vec::new(), BTreeMap::new());
        let key: fn(&(usize, usize)) -> &usize = |(key, _)| key;
        for value in 0..5_000 {
            let at = rng.below(300);
            if rng.chance(60) {
                put(&mut list, (at, value), key);
                tree.insert(at, value);
            } else {
                remove(&mut list, &at, key);
                tree.remove(&at);
            }
            assert!(list.iter().copied().eq(tree.iter().map(|(key, value)| (*key, *value))));
        }
        assert!(list.len() > 100);
    }
}
