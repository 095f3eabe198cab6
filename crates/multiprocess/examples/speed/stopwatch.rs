use std::error::Error;
use std::time::Instant;

pub(crate) type Outcome<T> = Result<T, Box<dyn Error>>;

/// Nanoseconds that each of so many repetitions takes.
pub(crate) fn each(times: u32, work: impl FnOnce() -> Outcome<()>) -> Outcome<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64() * 1e9 / f64::from(times))
}

/// Measures several times, after once for nothing.
pub(crate) fn warmed_up(
    times: usize,
    mut measure: impl FnMut() -> Outcome<f64>,
) -> Outcome<Vec<f64>> {
    measure()?;
    (0..times).map(|_| measure()).collect()
}
