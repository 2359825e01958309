"""The parts behind `indexer.encoder`: model folders, their conversion, and the two ways of running them."""
