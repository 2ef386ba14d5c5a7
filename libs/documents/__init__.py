"""Papers people take home: Chinese forms as PDF with an electronic seal, and how a seal is verified."""
