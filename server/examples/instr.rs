use capuchin::compile::*;
use capuchin::sites::diff::Ids;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let s = std::fs::read_to_string(&a[1]).unwrap();
    let mut ids = Ids::default();
    let t = std::time::Instant::now();
    match compile_module(&s, Options::default(), None, &mut ids) {
        Ok(m) => {
            eprintln!("{:?} {:?} sites {}", t.elapsed(), m.flavour, ids.len());
            println!("{}", m.code)
        }
        Err(e) => eprintln!("{e:?}"),
    }
}
