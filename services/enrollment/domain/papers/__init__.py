"""What stands on the papers of this service: 参保凭证, 个人权益记录."""
