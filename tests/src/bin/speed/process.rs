//! A server as a process of its own, and what the kernel says of it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::Result;

/// The unit of processor time in `/proc`, which Linux fixes at a hundredth of a second.
const MILLISECONDS_PER_TICK: f64 = 10.0;

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts this very program as a server and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("serve")
            .args(arguments)
            // It ends when this pipe closes, whatever becomes of us.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line
            .trim()
            .parse()
            .map_err(|_| format!("the server {arguments:?} did not start"))?;
        Ok(Self { process, address })
    }

    /// The processor time that it took so far, user and system, in milliseconds.
    pub(crate) fn cpu_milliseconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(self.file("stat"))?;
        // The second field is the program's name in parentheses and may hold anything.
        let (_, fields) = stat.rsplit_once(')').ok_or("/proc has no stat")?;
        let ticks = fields.split_ascii_whitespace().skip(11).take(2);
        let ticks = ticks
            .map(str::parse::<u32>)
            .sum::<std::result::Result<u32, _>>()?;
        Ok(f64::from(ticks) * MILLISECONDS_PER_TICK)
    }

    /// The most memory that it had, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        Ok(self.status("VmHWM:")? / 1024.0)
    }

    /// The memory that it has now, in KiB.
    pub(crate) fn resident_kib(&self) -> Result<f64> {
        self.status("VmRSS:")
    }

    /// A figure of `/proc`, in KiB.
    fn status(&self, name: &str) -> Result<f64> {
        let status = fs::read_to_string(self.file("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next());
        Ok(f64::from(
            kib.ok_or("/proc lacks a figure")?.parse::<u32>()?,
        ))
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.process.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A fresh folder; dropping it removes it.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn make(parent: &Path) -> Result<Self> {
        let path = parent.join(format!("chelseru-speed-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn file(&self, name: &str) -> Result<String> {
        let path = std::path::absolute(self.0.join(name))?;
        Ok(path
            .to_str()
            .ok_or("the folder's name is not UTF-8")?
            .to_owned())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
