//! Products as Chilean companies buy them, by family; written by hand.

/// A base product.
#[derive(Debug, Clone)]
pub struct Product {
    /// The name; `{}` stands for the variant.
    pub name: &'static str,
    /// Sizes, colours, models.
    pub variants: Vec<&'static str>,
    /// The unit that it is bought in.
    pub unit: &'static str,
    /// The price of a unit without IVA, in pesos.
    pub price: i64,
}

const FAMILIES: [(&str, &str); 9] = [
    ("construccion", include_str!("catalogue/construccion.txt")),
    ("oficina", include_str!("catalogue/oficina.txt")),
    ("alimentos", include_str!("catalogue/alimentos.txt")),
    ("servicios", include_str!("catalogue/servicios.txt")),
    ("electricidad", include_str!("catalogue/electricidad.txt")),
    ("gasfiteria", include_str!("catalogue/gasfiteria.txt")),
    ("aseo", include_str!("catalogue/aseo.txt")),
    ("informatica", include_str!("catalogue/informatica.txt")),
    ("seguridad", include_str!("catalogue/seguridad.txt")),
];

/// How many of the families the coefficients are fitted on; the others are held out.
const FITTED: usize = 4;

/// The families that the coefficients are fitted on, or the others.
pub fn families(held_out: bool) -> Vec<Vec<Product>> {
    let (fitted, others) = FAMILIES.split_at(FITTED);
    let chosen = if held_out { others } else { fitted };
    chosen
        .iter()
        .map(|(_, text)| text.lines().filter_map(product).collect())
        .collect()
}

/// The names of the same families.
pub fn names(held_out: bool) -> Vec<&'static str> {
    let (fitted, others) = FAMILIES.split_at(FITTED);
    let chosen = if held_out { others } else { fitted };
    chosen.iter().map(|(name, _)| *name).collect()
}

/// `name|variant;variant|unit|price`.
fn product(line: &'static str) -> Option<Product> {
    let mut cells = line.split('|');
    let name = cells.next()?;
    let variants: Vec<&str> = cells.next()?.split(';').collect();
    Some(Product {
        name,
        variants,
        unit: cells.next()?,
        price: cells.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_tables_is_a_product() {
        let rows: usize = FAMILIES.iter().map(|(_, text)| text.lines().count()).sum();
        let products: Vec<Product> = [true, false]
            .into_iter()
            .flat_map(families)
            .flatten()
            .collect();
        assert_eq!(products.len(), rows);
        assert!(rows >= 300, "{rows}");
        for product in products {
            assert!(
                product.price > 0 && !product.variants.is_empty(),
                "{product:?}"
            );
        }
        assert_eq!(names(true).len() + names(false).len(), FAMILIES.len());
    }
}
