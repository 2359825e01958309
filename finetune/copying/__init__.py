"""The copying generator's training: examples with edits that must be refused, the loss, one run, its confidence."""
