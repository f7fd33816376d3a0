//! tmp
use matching::*;
use std::time::Instant;
fn main() {
    let words = [
        "cemento",
        "plancha",
        "tornillo",
        "perno",
        "galvanizado",
        "acero",
        "pintura",
        "blanco",
        "negro",
        "cable",
        "tubo",
        "codo",
        "valvula",
        "papel",
        "carta",
        "lapiz",
        "azul",
        "rojo",
        "caja",
        "rollo",
        "silicona",
        "adhesivo",
        "cinta",
        "guante",
        "casco",
        "lente",
        "bota",
        "arnes",
        "notebook",
        "monitor",
        "teclado",
        "mouse",
        "arroz",
        "azucar",
        "harina",
        "aceite",
        "leche",
        "queso",
        "servicio",
        "mantencion",
    ];
    let mut n = 12345u64;
    let mut r = move |m: usize| {
        n = n
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((n >> 33) as usize) % m
    };
    let mut line = |k: usize| Line {
        description: format!(
            "{} {} {} {} {}mm cod{}",
            words[r(40)],
            words[r(40)],
            words[r(40)],
            words[r(40)],
            r(50),
            k
        ),
        quantity: Some((1 + r(50)).into()),
        unit: Some("UN".into()),
        unit_price: Some((1000 + r(9000)).into()),
        ..Line::default()
    };
    let sup = Party {
        rut: Some("76192083-9".into()),
        ..Party::default()
    };
    let orders: Vec<Order> = (0..200)
        .map(|i| Order {
            id: i,
            name: Some(format!("P{i:05}")),
            supplier: sup.clone(),
            lines: (0..60).map(|k| line(i as usize * 60 + k)).collect(),
            ..Order::default()
        })
        .collect();
    let inv = Invoice {
        supplier: sup,
        lines: orders[77].lines.clone(),
        ..Invoice::default()
    };
    let mut t: Vec<f64> = (0..21)
        .map(|_| {
            let b = Instant::now();
            let m = match_order(&inv, &orders, &Options::default());
            assert_eq!(m.candidates[0].po_id, 77);
            b.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    t.sort_by(f64::total_cmp);
    println!("min {:.1} median {:.1}", t[0], t[10]);
}
