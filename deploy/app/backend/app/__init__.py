"""Shopping lists: small enough to read in one sitting, and whole enough to try a stack with.

There are no accounts: whoever reaches it may read and write. Beyond a trial, let the gateway ask who
comes in, or put your own application in its place."""
