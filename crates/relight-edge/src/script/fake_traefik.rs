//! What Traefik's documentation says of its file provider and of `/api/http/routers`.

use std::path::PathBuf;

use serde_json::{Value, json};

/// Reads its file when it is told to, as the real one does every two seconds.
#[derive(Default)]
pub(super) struct FakeTraefik {
    file: PathBuf,
    routers: Vec<Value>,
    /// Routers on a page, whatever was asked for: the real one has a limit of its own.
    page: usize,
    refuses: bool,
}

impl FakeTraefik {
    pub(super) fn new(file: PathBuf) -> Self {
        Self { file, page: 3, ..Self::default() }
    }

    /// What a script orders: `tick` reads the file, `refuse` disables what it holds from then on.
    pub(super) fn order(&mut self, order: &[&str]) -> Vec<String> {
        match order {
            ["tick"] => self.tick(),
            ["refuse"] => self.refuses = true,
            _ => panic!("no such order: {order:?}"),
        }
        Vec::new()
    }

    /// Takes the file over; one that it does not understand changes nothing.
    fn tick(&mut self) {
        let text = std::fs::read(&self.file).unwrap_or_default();
        let Ok(document) = serde_json::from_slice::<Value>(&text) else { return };
        let routers = document.pointer("/http/routers").and_then(Value::as_object);
        let router = |(name, router): (&String, &Value)| {
            let mut router = router.clone();
            router["name"] = json!(format!("{name}@file"));
            router["status"] = json!(if self.refuses { "disabled" } else { "enabled" });
            router
        };
        self.routers = routers.into_iter().flatten().map(router).collect();
    }

    pub(super) fn answer(&self, uri: &str) -> (u16, Vec<(String, String)>, String) {
        let page = uri.rsplit_once("&page=").and_then(|(_, page)| page.parse::<usize>().ok());
        let (Some(page), true) = (page, uri.starts_with("/api/http/routers?")) else {
            return (404, Vec::new(), "404 page not found".to_owned());
        };
        let own =
            json!({"name": "api@internal", "status": "enabled", "rule": "PathPrefix(`/api`)"});
        let all: Vec<&Value> = std::iter::once(&own).chain(&self.routers).collect();
        let pages: Vec<&[&Value]> = all.chunks(self.page).collect();
        let next = if page < pages.len() { page + 1 } else { 1 };
        let here = pages.get(page - 1).map_or(json!([]), |routers| json!(routers));
        (200, vec![("X-Next-Page".to_owned(), next.to_string())], here.to_string())
    }
}
