//! The rows of an HTML page's tables. Only the tokens matter: where a row or a cell begins or
//! ends; broken nesting, missing end tags and scripts do no harm.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

use super::filas::Fila;

/// The most rows that are read of one page.
const MAX_FILAS: usize = 5_000;

/// The rows in their order.
pub(super) fn filas(html: &str) -> Vec<Fila> {
    textos(html)
        .iter()
        .map(|fila| Fila::de_linea(fila))
        .collect()
}

/// The rows' texts, cells apart by a space.
pub(super) fn textos(html: &str) -> Vec<String> {
    let cola = BufferQueue::default();
    cola.push_back(StrTendril::from(html));
    let tokenizador = Tokenizer::new(Sumidero::default(), TokenizerOpts::default());
    // This sink never stops for a script, so one call reads everything.
    let _ = tokenizador.feed(&cola);
    tokenizador.end();
    let mut estado = tokenizador.sink.0.into_inner();
    estado.cerrar_fila();
    estado.filas
}

#[derive(Default)]
struct Sumidero(RefCell<Estado>);

#[derive(Default)]
struct Estado {
    filas: Vec<String>,
    celdas: Vec<String>,
    celda: Option<String>,
}

impl Estado {
    fn cerrar_celda(&mut self) {
        if let Some(celda) = self.celda.take() {
            self.celdas.push(celda);
        }
    }

    fn cerrar_fila(&mut self) {
        self.cerrar_celda();
        let celdas = std::mem::take(&mut self.celdas);
        if !celdas.is_empty() && self.filas.len() < MAX_FILAS {
            let fila = celdas.join(" ");
            self.filas
                .push(fila.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    fn etiqueta(&mut self, etiqueta: &Tag) {
        match (&*etiqueta.name, etiqueta.kind) {
            ("td" | "th", TagKind::StartTag) => {
                self.cerrar_celda();
                self.celda = Some(String::new());
            }
            ("td" | "th", TagKind::EndTag) => self.cerrar_celda(),
            ("tr" | "table" | "tbody" | "thead", _) => self.cerrar_fila(),
            // A line break is a space between words; most other tags are within a word.
            ("br" | "p" | "div" | "li", _) => self.texto(" "),
            _ => {}
        }
    }

    fn texto(&mut self, texto: &str) {
        if let Some(celda) = &mut self.celda {
            celda.push_str(texto);
        }
    }
}

impl TokenSink for Sumidero {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut estado = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(texto) => estado.texto(&texto),
            Token::TagToken(etiqueta) => {
                estado.etiqueta(&etiqueta);
                if etiqueta.kind == TagKind::StartTag {
                    match &*etiqueta.name {
                        "script" => return TokenSinkResult::RawData(RawKind::ScriptData),
                        "style" => return TokenSinkResult::RawData(RawKind::Rawtext),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
