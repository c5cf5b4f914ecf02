//! What sites are built with, as their inventories show it.

use relight_model::{SiteId, Stack};

use super::Index;

impl Index {
    /// What the inventories of a site show that it is built with. What is not there may still be
    /// there: how far inventories can be trusted is told by [`Index::inventory_states`].
    pub fn stack(&self, site: SiteId) -> Stack {
        let of = |asset| self.asset(asset).map_or_else(Stack::default, |it| it.stack);
        self.assets_of(site).map(of).fold(Stack::default(), Stack::and)
    }
}

#[cfg(test)]
mod tests {
    use relight_model::AssetId;

    use super::*;
    use crate::testing::{open_with_sites, put, sbom};

    fn codes(index: &Index, site: u32) -> Vec<&'static str> {
        index.stack(SiteId(site)).parts().map(|it| it.code).collect()
    }

    #[test]
    fn a_site_is_built_with_what_its_inventory_of_that_day_shows() {
        let (_folder, store) = open_with_sites(2);
        let java = ("pkg:maven/org.springframework.boot/spring-boot@2.6.1", "app.jar");
        put(&store, 1, &sbom(&[java, ("pkg:npm/x@1", "x")]), 10);
        let mut index = Index::build(&store).unwrap();
        assert_eq!(codes(&index, 1), ["java", "spring-boot", "node"]);
        assert_eq!(codes(&index, 2), [""; 0], "nobody looked");
        put(&store, 1, &sbom(&[("pkg:pypi/flask@2", "a")]), 20);
        index.refresh(&store, &[AssetId(1)]).unwrap();
        assert_eq!(codes(&index, 1), ["python", "flask"], "what it was made of is gone");
        // A day on which it was what it is now, and one before.
        assert_eq!(codes(&index.clone().as_of(&store, 21).unwrap(), 1), ["python", "flask"]);
        let before = index.as_of(&store, 15).unwrap();
        assert_eq!(codes(&before, 1), ["java", "spring-boot", "node"]);
    }
}
