//! Plots as inline SVG: lines over time, and bars. Colours and fonts are the page's.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = 30.0;
/// Lines of a grid.
const TICKS: usize = 4;

/// A line of a plot.
pub struct Line {
    /// Its name in the legend.
    pub name: String,
    /// Its points.
    pub points: Vec<(f64, f64)>,
}

/// How the upright axis counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From nought.
    Linear,
    /// In powers of ten.
    Log,
}

/// What is around a plot.
pub struct Frame<'a> {
    /// Its title, also for those who can't see it.
    pub title: &'a str,
    /// The units of both axes.
    pub x: &'a str,
    /// See above.
    pub y: &'a str,
    /// How the upright axis counts.
    pub scale: Scale,
}

/// Lines over a common axis, with upright marks and their names.
pub fn lines(frame: &Frame<'_>, lines: &[Line], marks: &[(f64, &str)]) -> String {
    let finite = |point: &&(f64, f64)| point.0.is_finite() && point.1.is_finite();
    let points = || lines.iter().flat_map(|line| &line.points).filter(finite);
    let end = points().map(|point| point.0).fold(1e-9, f64::max);
    let axis = Axis::new(frame.scale, points().map(|point| point.1));
    let x = |at: f64| LEFT + (at / end).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    let mut body = grid(
        frame,
        &axis,
        &(0..=TICKS)
            .map(|tick| {
                let at = end * tick as f64 / TICKS as f64;
                (x(at), short(at))
            })
            .collect::<Vec<_>>(),
    );
    for (at, name) in marks {
        let at = x(*at);
        // Writing into a string can't fail.
        let _ = write!(
            body,
            "<line class=\"mark\" x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"><title>{}</title></line>",
            HEIGHT - BOTTOM,
            escaped(name)
        );
    }
    for (place, line) in lines.iter().enumerate() {
        let path: Vec<String> = line
            .points
            .iter()
            .filter(|(at, value)| at.is_finite() && value.is_finite())
            .map(|(at, value)| format!("{:.1} {:.1}", x(*at), axis.y(*value)))
            .collect();
        if !path.is_empty() {
            let _ = write!(
                body,
                "<path class=\"line c{}\" d=\"M{}\"><title>{}</title></path>",
                place % 8,
                path.join("L"),
                escaped(&line.name)
            );
        }
    }
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    figure(frame, &body, &names)
}

/// Bars of one series.
pub fn bars(frame: &Frame<'_>, bars: &[(String, f64)]) -> String {
    let axis = Axis::new(frame.scale, bars.iter().map(|(_, value)| *value));
    let step = (WIDTH - LEFT - RIGHT) / bars.len().max(1) as f64;
    let every = bars.len().div_ceil(8).max(1);
    let at = |place: usize| LEFT + step * place as f64;
    let ticks: Vec<(f64, String)> = bars
        .iter()
        .enumerate()
        .step_by(every)
        .map(|(place, (name, _))| (at(place) + step / 2.0, name.clone()))
        .collect();
    let mut body = grid(frame, &axis, &ticks);
    for (place, (name, value)) in bars
        .iter()
        .enumerate()
        .filter(|(_, (_, value))| *value > 0.0)
    {
        let top = axis.y(*value);
        // Writing into a string can't fail.
        let _ = write!(
            body,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"><title>{}: {value:.0}</title></rect>",
            at(place),
            (step - 1.0).max(0.5),
            (HEIGHT - BOTTOM - top).max(0.0),
            escaped(name)
        );
    }
    figure(frame, &body, &[])
}

/// The upright axis.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
}

impl Axis {
    fn new(scale: Scale, values: impl Iterator<Item = f64>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| value.is_finite() && *value > 0.0) {
            low = low.min(value);
            high = high.max(value);
        }
        if high <= 0.0 {
            (low, high) = (1.0, 1.0);
        }
        match scale {
            Scale::Linear => Self {
                scale,
                low: 0.0,
                high: high * 1.05,
            },
            Scale::Log => Self {
                scale,
                low: low.log10().floor(),
                high: high.log10().ceil().max(low.log10().floor() + 1.0),
            },
        }
    }

    fn y(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(1e-12).log10(),
        };
        let part = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => (0..=TICKS)
                .map(|tick| self.high * tick as f64 / TICKS as f64)
                .collect(),
            Scale::Log => {
                let powers = (self.high - self.low) as i32;
                (0..=powers)
                    .map(|power| 10_f64.powf(self.low + f64::from(power)))
                    .collect()
            }
        }
    }
}

fn grid(frame: &Frame<'_>, axis: &Axis, ticks: &[(f64, String)]) -> String {
    let mut text = String::new();
    let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
    for value in axis.ticks() {
        let y = axis.y(value);
        // Writing into a string can't fail.
        let _ = write!(
            text,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text class=\"tick\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            short(value)
        );
    }
    for (x, name) in ticks {
        let _ = write!(
            text,
            "<text class=\"tick\" text-anchor=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            bottom + 14.0,
            escaped(name)
        );
    }
    let _ = write!(
        text,
        "<text class=\"tick\" text-anchor=\"end\" x=\"{right}\" y=\"{:.1}\">{}</text>",
        HEIGHT - 3.0,
        escaped(frame.x)
    );
    text
}

fn figure(frame: &Frame<'_>, body: &str, names: &[&str]) -> String {
    let (title, unit) = (escaped(frame.title), escaped(frame.y));
    let legend: String = names
        .iter()
        .enumerate()
        .map(|(place, name)| {
            format!(
                "<span><i class=\"c{}\"></i>{}</span>",
                place % 8,
                escaped(name)
            )
        })
        .collect();
    format!(
        "<figure><figcaption>{title} <small>{unit}</small></figcaption><svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{title}\">{body}</svg><div class=\"legend\">{legend}</div></figure>\n"
    )
}

/// A number in few characters.
pub fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 10_000.0 => format!("{:.0}k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 1.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Text as HTML has it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Frame<'_> = Frame {
        title: "a <b>",
        x: "s",
        y: "ms",
        scale: Scale::Log,
    };

    #[test]
    fn plots_are_within_their_frame_whatever_the_values() {
        let odd = vec![
            (0.0, 0.0),
            (1.0, f64::NAN),
            (2.0, 1e9),
            (f64::INFINITY, 1.0),
            (3.0, -5.0),
        ];
        for scale in [Scale::Log, Scale::Linear] {
            let frame = Frame { scale, ..FRAME };
            let line = Line {
                name: "l".to_owned(),
                points: odd.clone(),
            };
            let plot = lines(&frame, &[line], &[(1.0, "m")]);
            assert!(!plot.contains("NaN") && !plot.contains("inf"), "{plot}");
            assert!(plot.contains("<path") && plot.contains("class=\"mark\""));
            let plot = bars(&frame, &[("x".to_owned(), 0.0), ("y".to_owned(), 3.0)]);
            assert_eq!(plot.matches("<rect").count(), 1);
        }
        assert!(lines(&FRAME, &[], &[]).contains("a &lt;b&gt;"));
        assert!(bars(&FRAME, &[]).contains("<svg"));
    }

    #[test]
    fn larger_values_are_higher() {
        let axis = Axis::new(Scale::Log, [0.1, 100.0].into_iter());
        assert!(axis.y(100.0) < axis.y(1.0) && axis.y(1.0) < axis.y(0.1));
        assert_eq!(axis.y(0.1), HEIGHT - BOTTOM);
    }
}
