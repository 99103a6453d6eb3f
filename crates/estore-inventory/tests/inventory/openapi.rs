//! The description of the routes is whole: who may call, what is answered, what each status means.

use serde_json::Value;

use crate::shop::Shop;

#[tokio::test]
async fn every_route_is_described() {
    let shop = Shop::open().await;
    let (_router, description) = shop.inventory.router().split_for_parts();
    let description: Value = serde_json::to_value(&description).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let mut operations = 0;
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let place = format!("{method} {path}");
            let answers = operation["responses"].as_object().unwrap();
            let has = |status: &str| answers.contains_key(status);
            assert!(has("400") && has("401") && has("429") && has("503"), "{place}: {:?}", answers.keys());
            let is_public = operation["security"].as_array().unwrap().iter().any(|s| s == &serde_json::json!({}));
            assert_eq!(has("403"), !is_public, "{place}");
            assert_eq!(path.contains('{'), has("404"), "{place}");
            assert!(operation["summary"].is_string() || operation["description"].is_string(), "{place}");
            let has_body = operation.get("requestBody").is_some();
            assert_eq!(has_body, has("415"), "{place}");
        }
    }
    assert_eq!(operations, 14, "{:?}", paths.keys());
    let text = description.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(description["components"]["schemas"][name].is_object(), "{name} is named and not described");
    }
}
