"""Learning: turns questions, passages and text into model files that `rag` opens. Never imported by `rag`."""
