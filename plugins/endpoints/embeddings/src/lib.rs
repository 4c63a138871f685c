//! Embeddings as OpenAI defined them: POST /v1/embeddings
