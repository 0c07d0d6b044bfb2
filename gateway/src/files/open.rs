//! Opening what is asked for, below the folder and nowhere else. Everything here may wait for a disk.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gateway_config::model::{ContentCoding, Files};
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use smallvec::SmallVec;

use super::conditions::Facts;

/// Siblings that are looked for: what is made once is made as small as it can be, and then brotli's
/// are the smallest.
pub(super) const SIBLINGS: [ContentCoding; 3] =
    [ContentCoding::Brotli, ContentCoding::Zstd, ContentCoding::Gzip];

/// A file that is no longer is read when it is opened: most are.
const SMALL: u64 = 64 * 1024;

/// Files from before this moment have no date, only something in its place: builds that are to be
/// reproducible set it to 1970 for all.
const FIRST_DATE: Duration = Duration::from_secs(365 * 86_400);

/// What is looked for.
pub(super) struct Wanted {
    /// Below the folder, with a slash in front; empty for the folder itself without a slash behind it.
    pub(super) name: String,
    /// The codings that a sibling may have, the most wanted first.
    pub(super) codings: SmallVec<[ContentCoding; 3]>,
    /// Whether a page is asked for, so that another may stand in for it.
    pub(super) is_page: bool,
    /// Whether the file's bytes are wanted at once.
    pub(super) reads: bool,
}

/// What was found.
pub(super) enum Lookup {
    File(Found),
    /// A folder with a page of its own, asked for without its slash.
    Folder,
    Nothing,
}

/// An open file.
pub(super) struct Found {
    pub(super) file: File,
    /// The name that its type goes by.
    pub(super) name: String,
    pub(super) facts: Facts,
    pub(super) coding: Option<ContentCoding>,
    /// Whether it stands in for a page that is not there.
    pub(super) stands_in: bool,
    /// All of it, where it is small.
    pub(super) whole: Option<Vec<u8>>,
}

/// Looks for a file.
///
/// # Errors
/// The folder, or a file in it, is there and cannot be read.
pub(super) fn look_up(files: &Files, wanted: &Wanted) -> io::Result<Lookup> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = openat(CWD, files.dir.as_path(), flags, Mode::empty())?;
    let folder = folder.as_fd();
    let name = wanted.name.trim_start_matches('/');
    let found = if wanted.name.ends_with('/') {
        find(folder, &format!("{name}{}", files.index), wanted)?
    } else {
        match open_below(folder, name)? {
            Some(file) if file.metadata()?.is_dir() => {
                let page = format!("{name}/{}", files.index);
                match open_below(folder, page.trim_start_matches('/'))? {
                    Some(page) if page.metadata()?.is_file() => return Ok(Lookup::Folder),
                    _ => None,
                }
            }
            Some(file) => best(folder, file, name, wanted)?,
            None => None,
        }
    };
    match (found, &files.spa) {
        (Some(found), _) => Ok(Lookup::File(found)),
        (None, Some(page)) if wanted.is_page => Ok(match find(folder, page, wanted)? {
            Some(found) => Lookup::File(Found { stands_in: true, ..found }),
            None => Lookup::Nothing,
        }),
        _ => Ok(Lookup::Nothing),
    }
}

fn find(folder: BorrowedFd<'_>, name: &str, wanted: &Wanted) -> io::Result<Option<Found>> {
    match open_below(folder, name)? {
        Some(file) => best(folder, file, name, wanted),
        None => Ok(None),
    }
}

/// The file, or its sibling in a coding that is wanted more.
fn best(
    folder: BorrowedFd<'_>,
    file: File,
    name: &str,
    wanted: &Wanted,
) -> io::Result<Option<Found>> {
    if !file.metadata()?.is_file() {
        return Ok(None);
    }
    for coding in &wanted.codings {
        let sibling = open_below(folder, &format!("{name}.{}", ending(*coding)))?;
        if let Some(sibling) = sibling
            && let Some(found) = Found::of(sibling, name, Some(*coding), wanted.reads)?
        {
            return Ok(Some(found));
        }
    }
    Found::of(file, name, None, wanted.reads)
}

fn ending(coding: ContentCoding) -> &'static str {
    match coding {
        ContentCoding::Zstd => "zst",
        ContentCoding::Brotli => "br",
        ContentCoding::Gzip => "gz",
    }
}

impl Found {
    /// `None` for what is no regular file.
    fn of(
        mut file: File,
        name: &str,
        coding: Option<ContentCoding>,
        reads: bool,
    ) -> io::Result<Option<Self>> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Ok(None);
        }
        let length = metadata.len();
        let whole =
            (reads && length <= SMALL).then(|| read_whole(&mut file, length)).transpose()?;
        let modified = metadata.modified().ok().filter(|at| {
            let is_date = |at: &SystemTime| *at >= UNIX_EPOCH + FIRST_DATE;
            is_date(at) && *at <= SystemTime::now()
        });
        let facts = Facts { length, modified, etag: etag(&metadata, coding) };
        let name = name.to_owned();
        Ok(Some(Self { file, name, facts, coding, stands_in: false, whole }))
    }
}

/// A file that has become shorter meanwhile is not the one that the facts are about.
fn read_whole(file: &mut File, length: u64) -> io::Result<Vec<u8>> {
    let mut whole = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    file.take(length).read_to_end(&mut whole)?;
    if (whole.len() as u64) < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(whole)
}

/// A strong tag: a file that is written anew has another time, another size or, where its folder was
/// made anew with all times the same, another number.
fn etag(metadata: &std::fs::Metadata, coding: Option<ContentCoding>) -> String {
    let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
    let coding = coding.map(|coding| format!("-{}", ending(coding))).unwrap_or_default();
    format!("\"{seconds:x}.{nanos:x}-{:x}-{:x}{coding}\"", metadata.len(), metadata.ino())
}

/// Opens a file or folder below a folder. `None` where there is none, or where the way to it leads out
/// of the folder.
fn open_below(folder: BorrowedFd<'_>, name: &str) -> io::Result<Option<File>> {
    // Whatever waits to be opened, a pipe say, does not keep us.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let name = if name.is_empty() { "." } else { name };
    let within = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let mut opened = openat2(folder, name, flags, Mode::empty(), within);
    if matches!(opened, Err(Errno::AGAIN)) {
        // Somebody moved a folder on the way.
        opened = openat2(folder, name, flags, Mode::empty(), within);
    }
    if matches!(opened, Err(Errno::NOSYS | Errno::PERM)) {
        opened = open_without_links(folder, name, flags);
    }
    match opened {
        Ok(file) => Ok(Some(file.into())),
        Err(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::XDEV
            | Errno::LOOP
            | Errno::NAMETOOLONG
            | Errno::NXIO
            | Errno::NODEV
            | Errno::INVAL,
        ) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same where the system does not know openat2, or hides it: one part after the other, and no
/// symbolic link at all.
fn open_without_links(folder: BorrowedFd<'_>, name: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let (parents, last) = name.rsplit_once('/').unwrap_or(("", name));
    let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut at = openat(folder, ".", step, Mode::empty())?;
    for part in parents.split('/').filter(|part| !part.is_empty()) {
        at = openat(&at, part, step, Mode::empty())?;
    }
    if last == ".." {
        return Err(Errno::XDEV);
    }
    openat(&at, last, flags | OFlags::NOFOLLOW, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    /// A folder with a file beside it that nobody may see.
    fn folder() -> (tempfile::TempDir, OwnedFd) {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("inside");
        fs::create_dir_all(inside.join("sub")).unwrap();
        fs::write(dir.path().join("secret"), "secret").unwrap();
        fs::write(inside.join("a"), "a").unwrap();
        fs::write(inside.join("sub/b"), "b").unwrap();
        symlink("sub/b", inside.join("good")).unwrap();
        symlink("../a", inside.join("sub/up")).unwrap();
        symlink("../secret", inside.join("bad")).unwrap();
        symlink(dir.path().join("secret"), inside.join("absolute")).unwrap();
        symlink("..", inside.join("out")).unwrap();
        symlink("/proc/self/root", inside.join("magic")).unwrap();
        let fifo = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(CWD, inside.join("pipe"), fifo, Mode::RUSR, 0).unwrap();
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let opened = openat(CWD, &inside, flags, Mode::empty()).unwrap();
        (dir, opened)
    }

    fn text(file: Option<File>) -> Option<String> {
        let (mut file, mut text) = (file?, String::new());
        file.read_to_string(&mut text).ok()?;
        Some(text)
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let (_dir, folder) = folder();
        for (name, expected) in [
            ("a", Some("a")),
            ("sub/b", Some("b")),
            ("good", Some("b")),
            ("sub/up", Some("a")),
            ("bad", None),
            ("absolute", None),
            ("out/secret", None),
            ("magic/etc/passwd", None),
            ("../secret", None),
            ("sub/../../secret", None),
            ("/etc/passwd", None),
            ("a/b", None),
            ("missing", None),
        ] {
            let found = open_below(folder.as_fd(), name).unwrap();
            assert_eq!(text(found).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let (dir, _folder) = folder();
        let files = Files {
            dir: dir.path().join("inside"),
            index: "a".into(),
            spa: None,
            precompressed: false,
        };
        let look = |name: &str| {
            let name = name.to_owned();
            let wanted = Wanted { name, codings: SmallVec::new(), is_page: true, reads: true };
            look_up(&files, &wanted).unwrap()
        };
        assert!(matches!(look("/pipe"), Lookup::Nothing));
        assert!(matches!(look("/sub"), Lookup::Nothing), "it has no page");
        assert!(matches!(look(""), Lookup::Folder));
        let Lookup::File(found) = look("/") else { panic!("the folder's page is there") };
        assert_eq!((found.name.as_str(), found.whole), ("a", Some(b"a".to_vec())));
    }

    #[test]
    fn where_links_cannot_be_bounded_none_is_followed() {
        let (_dir, folder) = folder();
        let open = |name| {
            let opened = open_without_links(folder.as_fd(), name, OFlags::RDONLY);
            text(opened.ok().map(File::from))
        };
        assert_eq!(open("a").as_deref(), Some("a"));
        assert_eq!(open("sub/b").as_deref(), Some("b"));
        for name in ["good", "bad", "absolute", "out/secret", "magic/etc/passwd", "sub/up", ".."] {
            assert_eq!(open(name), None, "{name}");
        }
    }
}
