import Glibc

/// Runs `work` with another file mode creation mask, which nobody else of this process sees.
///
/// The mask belongs to the process, and other tests run beside this one; so it is changed on a thread that has its own
/// (unshare(2), CLONE_FS), and that ends with the work.
///
/// - Throws: What `work` throws.
public func withFileMask<T>(_ mask: mode_t, _ work: () throws -> T) throws -> T {
  var result: Result<T, any Error>?
  withoutActuallyEscaping(work) { work in
    let errand = Errand {
      guard unshare?(cloneFS) == 0 else { fatalError("unshare(CLONE_FS): error \(errno)") }
      umask(mask)
      result = Result { try work() }
    }
    errand.runOnItsOwnThread()
  }
  guard let result else { fatalError("the work was not done") }
  return try result.get()
}

// Swift's module of the C library has neither the function nor CLONE_FS of linux/sched.h.
private let cloneFS: CInt = 0x200
private let unshare = dlsym(nil, "unshare").map {
  unsafeBitCast($0, to: (@convention(c) (CInt) -> CInt).self)
}

private final class Errand {
  private let work: () -> Void

  init(_ work: @escaping () -> Void) { self.work = work }

  /// Waits for the end of the work.
  func runOnItsOwnThread() {
    var thread = pthread_t()
    let failure = pthread_create(
      &thread, nil,
      { errand in
        guard let errand else { return nil }
        Unmanaged<Errand>.fromOpaque(errand).takeUnretainedValue().work()
        return nil
      }, Unmanaged.passUnretained(self).toOpaque())
    guard failure == 0 else { fatalError("pthread_create: error \(failure)") }
    pthread_join(thread, nil)
  }
}
