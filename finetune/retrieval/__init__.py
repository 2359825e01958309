"""What finds passages, learnt: questions about them, hard negatives, encoders and rerankers."""
