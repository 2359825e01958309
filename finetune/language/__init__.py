"""Language models: architectures, pre-training, fine-tuning and prompt-tuning."""
