//! The rules of the house, as tests: what the sources promise their readers and no compiler checks.
//!
//! Each rule is a function from the text of a file to what is wrong with it, and is tried here on a small
//! text that breaks it before it is applied to the sources: a rule that finds nothing may be a rule that
//! looks at nothing.

mod book;
mod chapter;
mod form;
mod items;
mod layers;
mod picture;
mod proof;
mod reasons;
mod source;
mod tables;

#[cfg(not(miri))]
mod the_sources {
    use std::fs;

    use crate::form::*;
    use crate::items::*;
    use crate::layers::*;
    use crate::proof::*;
    use crate::reasons::*;
    use crate::source::*;
    use crate::tables::*;

    #[test]
    fn justify_each_ordering() {
        let sources = sources("src");
        let sources = sources.iter().filter(|source| !is_a_model(source));
        assert_none(sources.flat_map(orderings_are_justified));
    }

    #[test]
    fn name_partners_that_exist() {
        let sources = sources("src");
        let functions: Vec<String> = sources.iter().flat_map(functions).collect();
        assert_none(sources.iter().flat_map(|s| orderings_name_functions_that_exist(s, &functions)));
    }

    #[test]
    fn justify_each_unsafe() {
        let sources =
            ["src", "tests", "loom-tests/tests", "loom-tests/mistakes", "examples"].map(sources);
        assert_none(sources.iter().flatten().flat_map(unsafe_is_justified));
    }

    #[test]
    fn use_only_what_stands_above_them() {
        let layers = Layers::of(&read(&root().join("src/lib.rs")));
        assert_none(sources("src").iter().flat_map(|source| layers_are_kept(source, &layers)));
    }

    #[test]
    fn are_modules_of_the_crate() {
        assert_none(files_are_modules(&sources("src")));
    }

    #[test]
    fn name_loom_in_two_places_only() {
        assert_none(sources("src").iter().flat_map(loom_stays_in_its_place));
    }

    #[test]
    fn have_nothing_left_to_do() {
        assert_none(sources("src").iter().flat_map(nothing_is_left_to_do));
    }

    #[test]
    fn have_names_that_say_something() {
        assert_none(sources("src").iter().flat_map(module_names_say_something));
    }

    #[test]
    fn are_short() {
        let sources = ["src", "loom-tests/mistakes"].map(sources);
        assert_none(sources.iter().flatten().flat_map(files_are_short));
    }

    #[test]
    fn begin_and_end_well() {
        let sources =
            ["src", "tests", "loom-tests/tests", "loom-tests/mistakes", "examples"].map(sources);
        assert_none(sources.iter().flatten().flat_map(files_begin_and_end_well));
    }

    #[test]
    fn are_checked_by_models_that_are_named() {
        let files = ["loom-tests/tests", "loom-tests/random/tests"].map(sources);
        let models: Vec<_> = files.iter().flatten().flat_map(tests).collect();
        let table = read(&root().join("loom-tests/README.md"));
        assert_none(tables_name_tests_that_exist(&table, &models));
        assert_none(tables_name_each_test(&table, &models));
    }

    #[test]
    fn explain_each_mistake() {
        let mistakes = sources("loom-tests/mistakes");
        let is_file = |name: &str| root().join(name).is_file();
        assert_none(mistakes.iter().flat_map(|source| mistakes_are_explained(source, is_file)));
        let table = read(&root().join("loom-tests/README.md"));
        assert_none(tables_name_each_mistake(&table, &mistakes));
    }

    #[test]
    fn pass_the_tests_of_python() {
        let tests: Vec<_> = sources("tests/contract").iter().flat_map(tests).collect();
        let table = read(&root().join("tests/README.md"));
        assert_none(tables_name_tests_that_exist(&table, &tests));
        let cases = (1..=62).map(|case| case.to_string());
        for case in cases.chain((1..=34).map(|case| format!("q{case}"))) {
            let row = format!("| {case} | `test_");
            assert!(table.text.lines().any(|line| line.starts_with(&row)), "case {case} is missing");
        }
        let python: Vec<_> = tests.into_iter().filter(|test| test.contains("::python::")).collect();
        assert_none(tables_name_each_test(&table, &python));
    }

    #[test]
    fn have_a_check_for_each_guarantee() {
        let chapter = read(&root().join("docs/proof.md"));
        let all_in = |folders: &[&str]| -> Vec<Source> {
            folders.iter().flat_map(|folder| sources(folder)).collect()
        };
        let on_threads: Vec<_> = all_in(&["tests/contract", "src"]).iter().flat_map(tests).collect();
        let models = ["loom-tests/tests", "loom-tests/random/tests", "loom-tests/downstream/tests"];
        let models: Vec<_> = all_in(&models).iter().flat_map(tests).collect();
        assert_none(guarantees_are_checked(&chapter, &on_threads, &models));
        assert_none(rungs_name_tests_that_exist(&chapter, &[on_threads, models].concat()));

        let mistakes = sources("loom-tests/mistakes");
        let mistakes = mistakes.iter().flat_map(documented_types).map(|(_, name, _)| name);
        assert_none(rungs_are_known(&chapter, &mistakes.collect::<Vec<_>>()));
    }

    #[test]
    fn promise_nothing_that_is_not_in_the_chapter_on_proof() {
        let chapter = read(&root().join("docs/proof.md"));
        let layers = Layers::of(&read(&root().join("src/lib.rs")));
        let sources = sources("src");
        let seen = sources.iter().filter(|source| !is_a_model(source));
        let promises: Vec<_> = seen.flat_map(|source| promises(source, &layers)).collect();
        assert_none(promises_have_a_row(&chapter, &promises));
        assert_none(types_have_a_table(&chapter, &layers));
    }

    #[test]
    fn have_an_example_of_each_item() {
        let layers = Layers::of(&read(&root().join("src/lib.rs")));
        let sources = sources("src");
        let sources = sources.iter().filter(|source| !is_a_model(source));
        assert_none(sources.flat_map(|source| items_have_an_example(source, &layers)));
    }

    /// In rustdoc's search, by an alias where it is not futon's own name.
    #[test]
    fn are_found_by_the_names_of_others() {
        let layers = Layers::of(&read(&root().join("src/lib.rs")));
        let sources = sources("src");
        let python = "Lock RLock Condition Semaphore BoundedSemaphore Event Barrier BrokenBarrierError \
            acquire release locked _is_owned _recursion_count wait wait_for notify notify_all set clear is_set \
            parties n_waiting broken abort reset Queue LifoQueue PriorityQueue SimpleQueue put get put_nowait \
            get_nowait qsize empty full maxsize task_done join shutdown is_shutdown Empty Full ShutDown \
            ThreadPoolExecutor imap imap_unordered";
        let std = "Mutex MutexGuard MappedMutexGuard lock try_lock get_mut into_inner filter_map map ReentrantLock \
            ReentrantLockGuard Condvar wait wait_while wait_timeout wait_timeout_while notify_one notify_all \
            Barrier BarrierWaitResult is_leader channel sync_channel send recv try_send try_recv send_timeout \
            recv_timeout recv_deadline SendError RecvError TrySendError TryRecvError RecvTimeoutError";
        let parking_lot = "try_lock_for try_lock_until is_locked lock_arc try_lock_arc try_lock_arc_for \
            try_lock_arc_until ArcMutexGuard ReentrantMutex ReentrantMutexGuard ArcReentrantMutexGuard \
            MappedReentrantMutexGuard is_owned_by_current_thread try_map unlock_fair unlocked bump wait_until \
            wait_while_for wait_while_until";
        let tokio = "add_permits available_permits acquire_owned try_acquire_owned acquire_many \
            acquire_many_owned try_acquire_many try_acquire_many_owned SemaphorePermit OwnedSemaphorePermit \
            forget split merge lock_owned OwnedMutexGuard";
        let rayon = "par_bridge for_each try_for_each";
        let all = [python, std, parking_lot, tokio, rayon];
        let lost: Vec<_> =
            all.iter().flat_map(|names| names_of_others_are_found(names, &sources, &layers)).collect();
        assert_eq!(lost, [""; 0], "no item has these names or aliases");
    }

    #[test]
    fn depend_on_little() {
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert_none(dependencies_are_few("Cargo.toml", &manifest));
    }
}

#[cfg(not(miri))]
mod the_book {
    use std::fs;

    use crate::book::*;
    use crate::source::*;
    use crate::tables::tests;

    fn text(path: &str) -> Option<String> {
        fs::read_to_string(root().join(path)).ok()
    }

    /// A file's text, or nothing if it is a folder.
    fn target(path: &str) -> Option<String> {
        text(path).or_else(|| root().join(path).is_dir().then(String::new))
    }

    fn page(path: &str) -> Source {
        read(&root().join(path))
    }

    /// The pages of the book, appendices included, in the order of their names.
    fn pages() -> Vec<Source> {
        let names = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".md"));
        let mut pages: Vec<_> = names.map(|name| page(&format!("docs/{name}"))).collect();
        pages.sort_by(|a, b| a.path.cmp(&b.path));
        pages
    }

    fn chapters() -> Vec<Source> {
        let is_chapter =
            |page: &Source| page.path["docs/".len()..].starts_with(|c: char| c.is_ascii_digit());
        let chapters: Vec<_> = pages().into_iter().filter(is_chapter).collect();
        assert!(!chapters.is_empty());
        chapters
    }

    #[test]
    fn has_chapters_of_one_shape() {
        assert_none(chapters().iter().flat_map(chapters_have_the_shape));
        assert_none(chapters().iter().flat_map(pictures_fit_everywhere));
    }

    #[test]
    fn quotes_what_is_there() {
        assert_none(chapters().iter().flat_map(|chapter| quotations_are_true(chapter, text)));
    }

    #[test]
    fn says_by_which_model_a_mistake_is_found() {
        let table = page("loom-tests/README.md");
        assert_none(
            chapters().iter().flat_map(|chapter| quoted_mistakes_name_their_model(chapter, &table)),
        );
    }

    #[test]
    fn asks_to_break_what_can_be_broken() {
        let files = ["tests/contract", "loom-tests/tests", "loom-tests/random/tests"].map(sources);
        let tests: Vec<_> = files.iter().flatten().flat_map(tests).collect();
        assert_none(chapters().iter().flat_map(|chapter| breaks_can_be_made(chapter, text, &tests)));
    }

    #[test]
    fn names_and_links_to_what_is_there() {
        let others = ["README.md", "CONTRIBUTING.md"].map(page);
        assert_none(pages().iter().chain(&others).flat_map(|page| links_lead_somewhere(page, target)));
        let is_there = |path: &str| root().join(path).exists();
        assert_none(chapters().iter().flat_map(|chapter| named_files_are_there(chapter, is_there)));
    }

    #[test]
    fn links_to_the_same_in_rustdoc() {
        let rustdoc = ["docs/links-in-rustdoc.md", "docs/performance/in-rustdoc.md"].map(page);
        let first = page("docs/README.md");
        let pages = chapters().into_iter().chain([first]);
        assert_none(pages.flat_map(|page| links_lead_to_the_same_in_rustdoc(&page, &rustdoc, text)));
    }

    #[test]
    fn has_as_many_mutations_as_the_readme_says() {
        assert_none(mutations_are_counted(&page("README.md"), &text("docs/mutations.md").unwrap()));
    }

    #[test]
    fn has_a_chapter_for_each_source() {
        assert_none(sources_have_a_chapter(&page("docs/README.md"), &sources("src")));
    }

    #[test]
    fn has_each_chapter_in_its_tables_of_contents() {
        let [summary, first, rustdoc] =
            ["docs/SUMMARY.md", "docs/README.md", "src/book.rs"].map(|path| text(path).unwrap());
        assert_none(
            chapters()
                .iter()
                .flat_map(|chapter| chapters_are_in_the_book(chapter, &summary, &first, &rustdoc)),
        );
    }
}
