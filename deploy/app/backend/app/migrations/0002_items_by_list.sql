-- A foreign key brings no index of its own, and every page of a list asks by it.
CREATE INDEX items_by_list ON items (list_id, id);
