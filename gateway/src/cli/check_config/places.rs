//! Where in the configuration's files something stands that turned out to be wrong outside of it.

use std::ops::Range;
use std::path::Path;

use gateway_config::model::{Endpoint, HostPattern, PathPattern, Upstream};
use gateway_config::{Files, Place};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The places of the files' keys and values.
pub(super) struct Places<'t> {
    files: &'t Files,
    table: DeTable<'t>,
}

type Value<'v, 't> = &'v Spanned<DeValue<'t>>;

impl<'t> Places<'t> {
    /// The places of files that have been found to be good.
    pub(super) fn of(files: &'t Files) -> Self {
        Self { files, table: files.table() }
    }

    /// The value of a key of `[server]`; of a list, the entry.
    pub(super) fn server(&self, key: &str, index: usize) -> Option<Place> {
        let value = table(self.table.get("server")?)?.get(key)?;
        let value = value.get_ref().as_array().map_or(Some(value), |list| list.get(index))?;
        self.place(&value.span())
    }

    fn site_named(&self, name: &HostPattern) -> Option<Value<'_, 't>> {
        let sites = table(self.table.get("site")?)?;
        let is_meant =
            |written: &str| HostPattern::parse(written).is_ok_and(|pattern| pattern == *name);
        sites.iter().find(|(written, _)| is_meant(written.get_ref())).map(|(_, site)| site)
    }

    /// The certificate or key file of a site that a sentence is about; its whole `tls` where none is.
    pub(super) fn certificate(&self, name: &HostPattern, sentence: &str) -> Option<Place> {
        let tls = table(self.site_named(name)?)?.get("tls")?;
        let pairs =
            tls.get_ref().as_array().map_or(std::slice::from_ref(tls), |list| list.as_ref());
        let files = pairs.iter().filter_map(table).flat_map(|pair| pair.values());
        // Sentences begin with what is wrong, and name paths that begin at the file's folder.
        let named_at = |file: &Value<'_, '_>| {
            let written = file.get_ref().as_str()?;
            ['`', '/']
                .iter()
                .filter_map(|before| sentence.find(&format!("{before}{written}`")))
                .min()
        };
        let meant =
            files.filter_map(|file| Some((named_at(&file)?, file))).min_by_key(|(at, _)| *at);
        self.place(&meant.map_or(tls, |(_, file)| file).span())
    }

    /// The `files` of a route, or of a site that has nothing else.
    pub(super) fn files(&self, site: &HostPattern, path: &PathPattern) -> Option<Place> {
        let site = table(self.site_named(site)?)?;
        if let Some(files) = site.get("files") {
            return self.place(&files.span());
        }
        let is_meant = |route: &&DeTable<'t>| {
            let written = route.get("path").and_then(|path| path.get_ref().as_str());
            written.and_then(|text| PathPattern::parse(text).ok()).as_ref() == Some(path)
        };
        let mut routes = site.get("routes")?.get_ref().as_array()?.iter().filter_map(table);
        self.place(&routes.find(is_meant)?.get("files")?.span())
    }

    /// The policy of a route: its own, its site's, or the server's.
    pub(super) fn policy(&self, site: &HostPattern, route: usize, key: &str) -> Option<Place> {
        let site = table(self.site_named(site)?)?;
        let routes = site.get("routes").and_then(|routes| routes.get_ref().as_array());
        let own = routes.and_then(|routes| table(routes.get(route)?)?.get(key));
        let server = || table(self.table.get("server")?)?.get(key);
        let value = own.or_else(|| site.get(key)).or_else(server)?;
        self.place(&value.span())
    }

    /// A value below `[acme]`, or below one of its directories.
    pub(super) fn acme(&self, directory: Option<usize>, keys: &[&str]) -> Option<Place> {
        let mut value = self.table.get("acme")?;
        if let Some(index) = directory {
            let listed = table(value)?.get("directory")?;
            value = listed.get_ref().as_array().map_or(Some(listed), |list| list.get(index))?;
        }
        for key in keys {
            value = table(value)?.get(*key)?;
        }
        self.place(&value.span())
    }

    /// The first place that names a page for errors.
    pub(super) fn error_page(&self, path: &Path) -> Option<Place> {
        let server = self.table.get("server").and_then(table);
        let sites = || self.table.get("site").and_then(table).into_iter();
        let sites = || sites().flat_map(|sites| sites.values().filter_map(table));
        let routes = sites().filter_map(|site| site.get("routes")?.get_ref().as_array());
        let routes = routes.flat_map(|routes| routes.iter()).filter_map(table);
        let levels = server.into_iter().chain(sites()).chain(routes);
        let pages = levels.flat_map(|level| {
            let tables = ["errors", "maintenance"].map(|key| level.get(key).and_then(table));
            tables.into_iter().flatten().flat_map(|keys| keys.values())
        });
        let is_meant = |page: &Value<'_, 't>| {
            let written = page.get_ref().as_str();
            written.is_some_and(|written| path.ends_with(written.trim_start_matches("./")))
        };
        let page = pages.into_iter().find(is_meant)?;
        self.place(&page.span())
    }

    /// The value of a key of an upstream that has a name.
    pub(super) fn upstream(&self, upstream: &Upstream, key: &str) -> Option<Place> {
        self.place(&self.named_upstream(upstream)?.get(key)?.span())
    }

    /// A server of an upstream: its entry of `servers`, or the `to` of the first route with it.
    pub(super) fn endpoint(&self, upstream: &Upstream, endpoint: &Endpoint) -> Option<Place> {
        if let Some(named) = self.named_upstream(upstream) {
            let index = upstream.servers.iter().position(|server| server == endpoint)?;
            let server = named.get("servers")?.get_ref().as_array()?.get(index)?;
            return self.place(&server.span());
        }
        let sites = table(self.table.get("site")?)?.values().filter_map(table);
        let lists = sites.filter_map(|site| site.get("routes")?.get_ref().as_array());
        let mut targets =
            lists.flat_map(|routes| routes.iter()).filter_map(|route| table(route)?.get("to"));
        let target = targets.find(|to| to.get_ref().as_str() == Some(upstream.name.as_str()))?;
        self.place(&target.span())
    }

    fn named_upstream(&self, upstream: &Upstream) -> Option<&DeTable<'t>> {
        table(table(self.table.get("upstream")?)?.get(upstream.name.as_str())?)
    }

    fn place(&self, span: &Range<usize>) -> Option<Place> {
        self.files.place(span)
    }
}

fn table<'v, 't>(value: Value<'v, 't>) -> Option<&'v DeTable<'t>> {
    value.get_ref().as_table()
}
