"""What a run did, for people: funnel, explanations, pages and cards."""
