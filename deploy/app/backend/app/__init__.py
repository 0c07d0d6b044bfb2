"""Shopping lists: small enough to read in one sitting, and whole enough to try a stack with."""
