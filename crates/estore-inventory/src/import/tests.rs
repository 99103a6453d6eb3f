use proptest::prelude::*;

use super::row::StagedRow;
use crate::fuzz::read;

/// The rows of a file, or `None` where faults were found.
fn read_now(file: &[u8]) -> Option<Vec<StagedRow>> {
    Some(read(file)?.0)
}

const OWN: &str = "id,sku,name,description,price,quantity,category,image_url,min_stock_level,is_active,metadata\n";
const SHOPIFY: &str = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Status,Tags\n";

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(header in 0..3_usize, body in prop::collection::vec(any::<u8>(), 0..400)) {
        read_now(&[["", OWN, SHOPIFY][header].as_bytes(), &body].concat());
    }

    #[test]
    fn fields_of_any_text_are_taken_whole_or_refused(
        fields in prop::collection::vec("[a-z0-9 .,>\\\\\"\n{}:é🪴-]{0,12}", 11),
    ) {
        let quoted: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
        let rows = read_now(format!("{OWN}{}\n", quoted.join(",")).as_bytes());
        if let Some([row]) = rows.as_deref() {
            prop_assert_eq!(&row.name, &fields[2]);
            prop_assert_eq!(row.description.clone().unwrap_or_default(), fields[3].clone());
            prop_assert!(row.price >= 0 && row.quantity.unwrap_or(0) >= 0 && row.line == 2);
        }
    }

    #[test]
    fn prices_come_back_as_they_were_written(cents in 0..i32::MAX) {
        let file = format!("name,price\nA,{}.{:02}\n", cents / 100, cents % 100);
        prop_assert_eq!(read_now(file.as_bytes()).unwrap()[0].price, cents);
    }
}
