"""From documents to clean text to learn from: collected, repaired, filtered, freed of duplicates; and tokenizers."""
