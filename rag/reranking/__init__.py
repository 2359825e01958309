"""Cross-encoders as rerankers: their folders, their conversion, and how they run without torch."""
