/// Finds for as many of `ones` as possible one of `others` each, so that each pair fits and none is
/// in two pairs. Gives for each of `ones` its partner. Earlier ones come first: who has found a
/// partner may get another, but never none.
///
/// These are the augmenting paths of Berge and Kuhn.
pub(super) fn pair(
    ones: usize,
    others: usize,
    fits: impl Fn(usize, usize) -> bool,
) -> Vec<Option<usize>> {
    let row = |one| (0..others).filter(|other| fits(one, *other)).collect();
    let possible: Vec<Vec<usize>> = (0..ones).map(row).collect();
    let mut taken_by = vec![None; others];
    for one in 0..ones {
        find_partner(one, &possible, &mut taken_by, &mut vec![false; others]);
    }
    let mut partners = vec![None; ones];
    for (other, one) in taken_by.iter().enumerate() {
        if let Some(one) = one {
            partners[*one] = Some(other);
        }
    }
    partners
}

/// Finds a partner for `one`, for which those that have one may have to look for another.
fn find_partner(
    one: usize,
    possible: &[Vec<usize>],
    taken_by: &mut [Option<usize>],
    asked: &mut [bool],
) -> bool {
    for &other in &possible[one] {
        if std::mem::replace(&mut asked[other], true) {
            continue;
        }
        let free = match taken_by[other] {
            None => true,
            Some(rival) => find_partner(rival, possible, taken_by, asked),
        };
        if free {
            taken_by[other] = Some(one);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::pair;

    #[test]
    fn a_partner_gives_way_to_one_who_has_no_other() {
        let fits = [
            [true, true, true],
            [true, true, false],
            [true, false, false],
        ];
        let pairs = pair(3, 3, |one, other| fits[one][other]);
        assert_eq!(pairs, [Some(2), Some(1), Some(0)]);
    }

    #[test]
    fn earlier_ones_come_first_when_there_are_too_few() {
        assert_eq!(pair(3, 2, |_, _| true).iter().flatten().count(), 2);
        assert_eq!(pair(2, 1, |_, _| true), [Some(0), None]);
        assert_eq!(pair(2, 0, |_, _| true), [None, None]);
    }
}
