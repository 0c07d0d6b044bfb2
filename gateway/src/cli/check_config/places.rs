//! Where in gateway.toml something stands that turned out to be wrong outside of it.

use std::ops::Range;

use gateway_config::Place;
use gateway_config::model::{Endpoint, HostPattern, Upstream};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The places of a file's keys and values.
pub(super) struct Places<'t> {
    file: &'t str,
    text: &'t str,
    table: DeTable<'t>,
}

type Value<'v, 't> = &'v Spanned<DeValue<'t>>;

impl<'t> Places<'t> {
    /// The places of a file that has been found to be good; none of any other.
    pub(super) fn of(file: &'t str, text: &'t str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let table = DeTable::parse(text).map(Spanned::into_inner).unwrap_or_default();
        Self { file, text, table }
    }

    /// The value of a key of `[server]`; of a list, the entry.
    pub(super) fn server(&self, key: &str, index: usize) -> Option<Place> {
        let value = table(self.table.get("server")?)?.get(key)?;
        let value = value.get_ref().as_array().map_or(Some(value), |list| list.get(index))?;
        Some(self.place(&value.span()))
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
        Some(self.place(&meant.map_or(tls, |(_, file)| file).span()))
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
        Some(self.place(&value.span()))
    }

    /// The value of a key of an upstream that has a name.
    pub(super) fn upstream(&self, upstream: &Upstream, key: &str) -> Option<Place> {
        Some(self.place(&self.named_upstream(upstream)?.get(key)?.span()))
    }

    /// A server of an upstream: its entry of `servers`, or the `to` of the first route with it.
    pub(super) fn endpoint(&self, upstream: &Upstream, endpoint: &Endpoint) -> Option<Place> {
        if let Some(named) = self.named_upstream(upstream) {
            let index = upstream.servers.iter().position(|server| server.endpoint == *endpoint)?;
            let server = named.get("servers")?.get_ref().as_array()?.get(index)?;
            return Some(self.place(&server.span()));
        }
        let sites = table(self.table.get("site")?)?.values().filter_map(table);
        let lists = sites.filter_map(|site| site.get("routes")?.get_ref().as_array());
        let mut targets =
            lists.flat_map(|routes| routes.iter()).filter_map(|route| table(route)?.get("to"));
        let target = targets.find(|to| to.get_ref().as_str() == Some(upstream.name.as_str()))?;
        Some(self.place(&target.span()))
    }

    fn named_upstream(&self, upstream: &Upstream) -> Option<&DeTable<'t>> {
        table(table(self.table.get("upstream")?)?.get(upstream.name.as_str())?)
    }

    fn place(&self, span: &Range<usize>) -> Place {
        Place::of(self.file, self.text, span)
    }
}

fn table<'v, 't>(value: Value<'v, 't>) -> Option<&'v DeTable<'t>> {
    value.get_ref().as_table()
}
