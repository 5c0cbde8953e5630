//! The curves, and whether one grows faster than its argument.

use measure::{Bound, Curve, Options, Table, curves, heading, raw, text};

use crate::{Growth, Measured};

/// # Errors
/// If they cannot be written.
pub fn write(all: &[Growth], options: &Options) -> anyhow::Result<Vec<Bound>> {
    raw("growth", &all)?;
    let bounds: Vec<_> = all.iter().flat_map(bounds_of).collect();
    let mut page = heading("Growth", options.is_quick);
    page += "What a request to Tenure, sealed, costs as what it meets grows, in nanoseconds: axum's `Router::oneshot` in one process, all \
             that the router does included. The order of a curve is that of the power of the argument by which it grows: 0 is not at all, 1 \
             is in proportion. It is the order over the whole of the curve, and over its steepest part of a factor of ten or more, since \
             of smaller steps the machine's noise makes what it will.\n\n## Bounds\n\n";
    for bound in &bounds {
        page += &format!("- {bound}\n");
    }
    for growth in all {
        page += &format!("\n## {}\n\n{}", growth.argument, table(growth));
        let drawn: Vec<_> = growth
            .curves
            .iter()
            .map(|curve| Curve {
                name: curve.name.to_owned(),
                points: curve.points.clone(),
            })
            .collect();
        let title = format!("A request's cost by {}", growth.argument);
        curves(
            &format!("growth-{}", growth.name),
            &title,
            growth.argument,
            "ns a request",
            &drawn,
        )?;
    }
    text("growth.md", &page)?;
    Ok(bounds)
}

fn table(growth: &Growth) -> String {
    let arguments = growth
        .curves
        .first()
        .map(|curve| curve.points.as_slice())
        .unwrap_or_default();
    let arguments = arguments.iter().map(|(argument, _)| format!("{argument:.0}"));
    let columns: Vec<_> = std::iter::once(String::new())
        .chain(arguments)
        .chain(["order".to_owned()])
        .collect();
    let mut table = Table::new(&columns);
    for curve in &growth.curves {
        let costs = curve.points.iter().map(|(_, cost)| format!("{cost:.0}"));
        let order = format!("{:.2}", order_of(curve));
        table.row(
            &std::iter::once(curve.name.to_owned())
                .chain(costs)
                .chain([order])
                .collect::<Vec<_>>(),
        );
    }
    table.finish()
}

fn bounds_of(growth: &Growth) -> Vec<Bound> {
    let curves = growth.curves.iter();
    curves
        .map(|curve| {
            let what = format!("order of {}, by {}", curve.name, growth.argument);
            Bound::at_most(what, 1.0, steepest_order_of(curve))
        })
        .collect()
}

fn order_of(curve: &Measured) -> f64 {
    match (curve.points.first(), curve.points.last()) {
        (Some(first), Some(last)) => order(*first, *last),
        _ => 0.0,
    }
}

fn steepest_order_of(curve: &Measured) -> f64 {
    let points = &curve.points;
    let pairs = points
        .iter()
        .flat_map(|low| points.iter().map(move |high| (*low, *high)));
    let far = pairs.filter(|(low, high)| high.0 >= 10.0 * low.0);
    far.map(|(low, high)| order(low, high))
        .fold(f64::NEG_INFINITY, f64::max)
}

fn order(low: (f64, f64), high: (f64, f64)) -> f64 {
    (high.1 / low.1).ln() / (high.0 / low.0).ln()
}
