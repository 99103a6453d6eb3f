//! The demonstration catalogue: an outdoor and home shop of our own invention.

use std::fmt::Write;

use estore_inventory::Inventory;

/// A leaf category: its path, what is sold there, and the price of its first product in cents.
struct Shelf {
    path: &'static str,
    goods: &'static [&'static str],
    price: i32,
}

const MAKERS: &[(&str, &str)] = &[
    ("Fernhollow", "made in a small workshop and repaired there for life"),
    ("Brightwater", "light, plain and easy to clean"),
    ("Oak & Otter", "from certified wood and recycled fittings"),
    ("Lumenfold", "folds flat and weighs next to nothing"),
    ("Harbour Nine", "built for wind, salt and long days"),
    ("Quillstone", "with a finish that gets better with use"),
];

const COLOURS: &[&str] = &["moss", "slate", "sand", "rust", "ink", "chalk"];

const SHELVES: &[Shelf] = &[
    Shelf { path: "Outdoor > Camping > Tents", goods: &["Ridge Tent", "Tunnel Tent", "Tarp Shelter"], price: 18_900 },
    Shelf { path: "Outdoor > Camping > Sleeping", goods: &["Down Quilt", "Trail Mat", "Camp Pillow"], price: 6_900 },
    Shelf {
        path: "Outdoor > Camping > Cooking",
        goods: &["Spirit Stove", "Nesting Pot", "Folding Kettle"],
        price: 3_450,
    },
    Shelf { path: "Outdoor > Walking", goods: &["Day Pack", "Walking Poles", "Map Case"], price: 4_200 },
    Shelf { path: "Outdoor > Cycling", goods: &["Pannier", "Dynamo Lamp", "Tool Roll"], price: 2_990 },
    Shelf { path: "Kitchen > Brewing", goods: &["Pour-over Dripper", "Hand Grinder", "Tea Strainer"], price: 1_950 },
    Shelf { path: "Kitchen > Knives", goods: &["Paring Knife", "Bread Knife", "Chef's Knife"], price: 3_900 },
    Shelf { path: "Kitchen > Tableware", goods: &["Stoneware Bowl", "Enamel Mug", "Serving Board"], price: 1_250 },
    Shelf { path: "Home > Lighting", goods: &["Desk Lamp", "Paper Lantern", "Reading Light"], price: 5_400 },
    Shelf { path: "Home > Textiles", goods: &["Wool Throw", "Linen Towel", "Floor Cushion"], price: 3_600 },
    Shelf { path: "Home > Storage", goods: &["Wall Hooks", "Willow Basket", "Stacking Crate"], price: 2_200 },
    Shelf { path: "Desk > Paper", goods: &["Dotted Notebook", "Letter Set", "Wall Planner"], price: 990 },
    Shelf { path: "Desk > Writing", goods: &["Brass Pen", "Pencil Roll", "Ink Bottle"], price: 1_490 },
    Shelf { path: "Garden > Tools", goods: &["Hand Fork", "Pruning Shears", "Watering Can"], price: 2_650 },
    Shelf { path: "Garden > Growing", goods: &["Seed Tray", "Herb Kit", "Raised Bed"], price: 1_790 },
];

/// Fills the catalogue; run again, it changes nothing.
pub async fn fill(inventory: &Inventory) -> Result<(), Box<dyn std::error::Error>> {
    let csv = catalogue();
    let report = inventory.import_products(csv.as_bytes(), |_rows| {}).await?;
    println!("Demonstration         {} products are in the catalogue.", report.products);
    Ok(())
}

fn catalogue() -> String {
    let mut csv =
        String::from("sku,name,description,price,quantity,category,image_url,min_stock_level,is_active,metadata\n");
    let mut number = 0_usize;
    for shelf in SHELVES {
        for (place, good) in shelf.goods.iter().enumerate() {
            for (maker, manner) in MAKERS {
                let colour = COLOURS[(number * 7 + place) % COLOURS.len()];
                let cents = usize::try_from(shelf.price).unwrap_or(0) + place * 700 + (number % 6) * 250;
                // One in seventeen is nearly sold out, so that low stock can be seen.
                let quantity = if number.is_multiple_of(17) { number % 4 } else { 20 + (number * 13) % 180 };
                let metadata = format!(
                    r#"{{""maker"":""{maker}"",""colour"":""{colour}"",""weight_grams"":{}}}"#,
                    120 + (number * 37) % 2_400
                );
                // Writing to a String cannot fail.
                let _infallible = writeln!(
                    csv,
                    "DEMO-{number:04},{maker} {good},\"{good} in {colour}, {manner}.\",{}.{:02},{quantity},{},,5,true,\"{metadata}\"",
                    cents / 100,
                    cents % 100,
                    shelf.path,
                );
                number += 1;
            }
        }
    }
    csv
}

#[cfg(test)]
mod tests {
    #[test]
    fn some_hundred_products_and_some_nearly_sold_out() {
        let csv = super::catalogue();
        assert_eq!(csv.lines().count(), 1 + 15 * 3 * 6);
        assert!(csv.lines().all(|line| line.matches('"').count() % 2 == 0));
    }
}
