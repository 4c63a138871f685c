//! Text completions as OpenAI defined them: POST /v1/completions
