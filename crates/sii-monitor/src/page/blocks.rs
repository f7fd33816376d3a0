//! HTML to blocks.

use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{Html, Node};

use super::noise::Noise;
use crate::text::squeezed;

/// The most blocks of a page; the rest is left out and said so ([`Page::truncated`]).
const MAX_BLOCKS: usize = 20_000;

/// The most characters of one block.
const MAX_BLOCK_CHARS: usize = 20_000;

/// What a page says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// Its title, where it has one.
    pub title: String,
    /// Its content, in order.
    pub blocks: Vec<Block>,
    /// Whether it had more than is kept.
    pub truncated: bool,
}

/// One meaningful piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its text, white space squeezed. A row's cells are joined by ` | `.
    pub text: String,
    /// The links in it, in order.
    pub links: Vec<Link>,
    /// A row's cells; empty in every other block.
    pub cells: Vec<Cell>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockKind {
    /// A heading of this level, 1 to 6.
    Heading(u8),
    /// Running text.
    Paragraph,
    /// An item of a list.
    Item,
    /// A row of a table.
    Row,
}

/// A cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// Whether it is a heading of its column or row.
    pub heading: bool,
    /// The links in it.
    pub links: Vec<Link>,
}

/// A link as it is written, without what only tells who looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What one clicks on.
    pub text: String,
    /// Where it leads; still relative if the page has it so.
    pub href: String,
}

impl Page {
    /// Reads a page. Any text is one; what isn't HTML is a paragraph.
    #[must_use]
    pub fn read(html: &str, noise: &Noise) -> Self {
        let document = Html::parse_document(html);
        let mut reader = Reader::new(noise);
        for edge in document.tree.root().traverse() {
            match edge {
                Edge::Open(node) => reader.open(node.value()),
                Edge::Close(node) => reader.close(node.value()),
            }
        }
        reader.flush();
        reader.page
    }

    /// The characters of all blocks.
    #[must_use]
    pub fn chars(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| block.text.chars().count())
            .sum()
    }
}

struct Reader<'a> {
    noise: &'a Noise,
    page: Page,
    /// How many open elements are within one that is left out, that one included.
    hidden: usize,
    in_title: bool,
    kind: BlockKind,
    text: String,
    links: Vec<Link>,
    cells: Vec<Cell>,
    /// Where the open link's text begins, and where it leads.
    link: Option<(usize, String)>,
    in_row: usize,
}

impl<'a> Reader<'a> {
    fn new(noise: &'a Noise) -> Self {
        Self {
            noise,
            page: Page::default(),
            hidden: 0,
            in_title: false,
            kind: BlockKind::Paragraph,
            text: String::new(),
            links: Vec::new(),
            cells: Vec::new(),
            link: None,
            in_row: 0,
        }
    }

    fn open(&mut self, node: &Node) {
        match node {
            Node::Text(text) if self.in_title => self.page.title.push_str(text),
            Node::Text(text) if self.hidden == 0 => self.push(text),
            Node::Element(element) => self.open_element(element),
            _ => {}
        }
    }

    fn open_element(&mut self, element: &Element) {
        let name = element.name();
        if self.hidden > 0 || self.hides(element) {
            self.hidden += 1;
            return;
        }
        match name {
            "title" => self.in_title = true,
            "br" => self.push(" "),
            "a" => {
                let href = element.attr("href").unwrap_or_default().trim();
                let leads = !href.is_empty()
                    && !href.starts_with('#')
                    && !href.to_ascii_lowercase().starts_with("javascript:");
                self.link = leads.then(|| (self.text.len(), self.noise.plain_link(href)));
            }
            "td" | "th" if self.in_row > 0 => self.text.clear(),
            "tr" => {
                self.flush();
                self.in_row += 1;
            }
            _ if self.in_row == 0 => self.begin(name),
            _ => self.push(" "),
        }
    }

    fn close(&mut self, node: &Node) {
        let Node::Element(element) = node else {
            return;
        };
        if self.hidden > 0 {
            self.hidden -= 1;
            return;
        }
        match element.name() {
            "title" => {
                self.in_title = false;
                self.page.title = squeezed(&self.page.title);
            }
            "a" => self.close_link(),
            "td" | "th" if self.in_row > 0 => self.close_cell(element.name() == "th"),
            "tr" => {
                self.in_row = self.in_row.saturating_sub(1);
                if self.in_row == 0 {
                    self.kind = BlockKind::Row;
                    self.flush();
                }
            }
            name if self.in_row == 0 && block(name).is_some() => self.flush(),
            _ => {}
        }
    }

    fn hides(&self, element: &Element) -> bool {
        let marks = [element.attr("class"), element.attr("id")];
        // A page that is marked as a whole would have no content at all.
        let name = element.name();
        let marks = if matches!(name, "html" | "body" | "main" | "article") {
            [None, None]
        } else {
            marks
        };
        let unseen =
            element.attr("hidden").is_some() || element.attr("aria-hidden") == Some("true");
        unseen || self.noise.hides(name, element.attr("role"), marks)
    }

    fn begin(&mut self, name: &str) {
        if let Some(kind) = block(name) {
            self.flush();
            self.kind = kind;
        }
    }

    fn push(&mut self, text: &str) {
        if self.text.len() < MAX_BLOCK_CHARS * 4 {
            self.text.push_str(text);
        }
    }

    fn close_link(&mut self) {
        if let Some((start, href)) = self.link.take() {
            let text = squeezed(self.text.get(start..).unwrap_or_default());
            self.links.push(Link { text, href });
        }
    }

    fn close_cell(&mut self, heading: bool) {
        self.close_link();
        self.cells.push(Cell {
            text: squeezed(&self.text),
            heading,
            links: std::mem::take(&mut self.links),
        });
        self.text.clear();
    }

    /// Ends the block that is being read, if it has anything.
    fn flush(&mut self) {
        // A link that goes on into the next block counts for this one.
        self.close_link();
        let cells = std::mem::take(&mut self.cells);
        let mut links = std::mem::take(&mut self.links);
        let mut text = squeezed(&self.text);
        self.text.clear();
        let kind = std::mem::replace(&mut self.kind, BlockKind::Paragraph);
        if !cells.is_empty() {
            let texts: Vec<&str> = cells.iter().map(|cell| cell.text.as_str()).collect();
            text = texts.join(" | ");
            links = cells.iter().flat_map(|cell| cell.links.clone()).collect();
        }
        let empty = text.chars().all(|c| c.is_whitespace() || c == '|');
        if (empty && links.is_empty()) || self.noise.is_chatter(&text) {
            return;
        }
        if self.page.blocks.len() >= MAX_BLOCKS {
            self.page.truncated = true;
            return;
        }
        if let Some((end, _)) = text.char_indices().nth(MAX_BLOCK_CHARS) {
            text.truncate(end);
            self.page.truncated = true;
        }
        self.page.blocks.push(Block {
            kind,
            text,
            links,
            cells,
        });
    }
}

/// The block that an element begins; `None` for what stands within a line.
fn block(name: &str) -> Option<BlockKind> {
    Some(match name {
        "h1" => BlockKind::Heading(1),
        "h2" => BlockKind::Heading(2),
        "h3" => BlockKind::Heading(3),
        "h4" => BlockKind::Heading(4),
        "h5" => BlockKind::Heading(5),
        "h6" => BlockKind::Heading(6),
        "li" | "dt" | "dd" => BlockKind::Item,
        "p" | "div" | "section" | "article" | "main" | "ul" | "ol" | "dl" | "table" | "thead"
        | "tbody" | "tfoot" | "caption" | "blockquote" | "pre" | "figure" | "figcaption" | "hr"
        | "body" | "center" | "address" | "details" | "summary" | "fieldset" => {
            BlockKind::Paragraph
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(html: &str) -> Page {
        Page::read(html, Noise::built_in())
    }

    fn texts(page: &Page) -> Vec<&str> {
        page.blocks
            .iter()
            .map(|block| block.text.as_str())
            .collect()
    }

    #[test]
    fn headings_with_links_and_their_paragraphs() {
        let page = read(
            "<html><head><title> Circulares\n2025 </title></head><body><nav>Inicio</nav>
             <div id='contenido'><h5><a href='circu11.pdf;jsessionid=9'>Circular N° 11 del 30 de
             Enero del 2025</a></h5><p>Instruye sobre <b>IVA</b>.<br>Fuente: SII</p></div>
             <footer>Visitas: 12</footer></body></html>",
        );
        assert_eq!(page.title, "Circulares 2025");
        assert_eq!(
            texts(&page),
            [
                "Circular N° 11 del 30 de Enero del 2025",
                "Instruye sobre IVA. Fuente: SII"
            ]
        );
        assert_eq!(page.blocks[0].kind, BlockKind::Heading(5));
        assert_eq!(page.blocks[0].links[0].href, "circu11.pdf");
    }

    #[test]
    fn rows_of_a_table_with_their_cells() {
        let page = read(
            "<table><tr><th>N°</th><th>Fecha</th><th>Materia</th></tr>
             <tr><td>11</td><td>30/01/2025</td><td><p><a href='/c11.pdf'>IVA</a></p> servicios</td></tr>
             </table>",
        );
        assert_eq!(
            texts(&page),
            ["N° | Fecha | Materia", "11 | 30/01/2025 | IVA servicios"]
        );
        assert!(page.blocks[0].cells.iter().all(|cell| cell.heading));
        assert_eq!(page.blocks[1].cells[2].links[0].text, "IVA");
        assert_eq!(page.blocks[1].links.len(), 1);
    }

    #[test]
    fn what_a_visit_adds_is_left_out() {
        let page = read(
            "<div class='cookie-banner'>Acepte</div><p>Última actualización: 3/4/2026</p>
             <div hidden>x</div><script>1</script><p>La UTM es $68.923</p><div class='main menu'>y</div>",
        );
        assert_eq!(texts(&page), ["La UTM es $68.923"]);
    }

    #[test]
    fn a_page_that_is_wholly_marked_keeps_its_content() {
        assert_eq!(
            texts(&read("<body class='menu'><p>Texto</p></body>")),
            ["Texto"]
        );
    }

    #[test]
    fn depth_and_size_are_no_trouble() {
        let deep = format!("{}Texto{}", "<div>".repeat(5_000), "</div>".repeat(5_000));
        assert_eq!(texts(&read(&deep)), ["Texto"]);
        let wide = read(&"<p>x</p>".repeat(MAX_BLOCKS + 10));
        assert!(wide.truncated && wide.blocks.len() == MAX_BLOCKS);
    }

    proptest! {
        #[test]
        fn anything_is_a_page(html in "[<>/a-z ='\"]{0,200}|\\PC{0,200}") {
            let page = read(&html);
            prop_assert!(page.blocks.iter().all(|block| squeezed(&block.text) == block.text || !block.cells.is_empty()));
        }
    }
}
