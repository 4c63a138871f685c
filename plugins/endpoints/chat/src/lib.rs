//! Chat completions as OpenAI defined them: POST /v1/chat/completions
