import Bundle
import Integrity
import Testing

private let hex = String(repeating: "0f", count: 32)

@Suite struct ImageReferenceTests {
  @Test(
    "Short names are completed as Docker does",
    arguments: [
      ("nginx", "docker.io/library/nginx:latest"), ("nginx:1.29.4", "docker.io/library/nginx:1.29.4"),
      ("my-org/app:1", "docker.io/my-org/app:1"), ("kube-vip:1.0", "docker.io/library/kube-vip:1.0"),
      ("myreg:5000/app:1", "myreg:5000/app:1"), ("myreg:5000", "docker.io/library/myreg:5000"),
      ("localhost/foo", "localhost/foo:latest"), ("Upper/foo:1", "Upper/foo:1"),
      ("index.docker.io/nginx:1", "docker.io/library/nginx:1"),
      ("docker.io/nginx:1", "docker.io/library/nginx:1"),
      ("registry-1.docker.io/library/nginx:1", "registry-1.docker.io/library/nginx:1"),
      ("quay.io/a/b/c/d:v1.0_x-Y", "quay.io/a/b/c/d:v1.0_x-Y"), ("10.0.0.1/a:1", "10.0.0.1/a:1"),
      ("[::1]:5000/a:1", "[::1]:5000/a:1"), ("a.b/c__d/e--f/g.h_i:1", "a.b/c__d/e--f/g.h_i:1"),
      ("nginx@sha256:\(hex)", "docker.io/library/nginx@sha256:\(hex)"),
      ("nginx:1@sha256:\(hex)", "docker.io/library/nginx:1@sha256:\(hex)"),
    ])
  func completion(text: String, expected: String) throws {
    let reference = try ImageReference(text)
    #expect(reference.description == expected)
    #expect(try ImageReference(expected) == reference)
  }

  @Test(
    "What is no reference says why",
    arguments: [
      ("", "empty part"), ("Nginx", "lower case"), ("a/B:1", "lower case"), ("a//b", "empty part"),
      ("/a", "empty part"), ("a/", "empty part"), ("a:", "tag after the colon is empty"),
      ("a:-x", "not a tag"), ("a b:1", "cannot be a part"), ("a:1 ", "not a tag"),
      ("a_-b:1", "cannot be a part"),
      ("a___b:1", "cannot be a part"), ("a..b", "cannot be a part"), ("-a", "cannot be a part"),
      ("a-", "cannot be a part"), ("https://quay.io/a:1", "URL"), (hex, "image's ID"),
      ("a@md5:00", "sha256 and sha512"), ("a@sha256:00", "64 hexadecimal"), ("a@", "not a digest"),
      ("a:\(String(repeating: "x", count: 129))", "not a tag"), ("my_host.x/a:1", "not a registry host"),
      ("host:0/a:1", "not a registry host"), ("host:65536/a:1", "not a registry host"),
      ("[::g]/a:1", "not a registry host"),
      ("a.b./c:1", "not a registry host"), ("{{ x }}/a:1", "cannot be a part"), ("ä:1", "cannot be a part"),
      ("q.io/\(String(repeating: "x", count: 251))", "longer than 255"),
    ])
  func refusal(text: String, reason: String) throws {
    let error = try #require(#expect(throws: ImageReferenceError.self) { try ImageReference(text) })
    #expect(error.description.contains(reason), "\(error)")
  }

  @Test(
    "Archive names and push names",
    arguments: [
      (
        "registry.k8s.io/kube-apiserver:v1.34.3", "registry.k8s.io_kube-apiserver-v1.34.3",
        "kube-apiserver:v1.34.3"
      ),
      ("nginx:1", "docker.io_library_nginx-1", "library/nginx:1"),
      ("my.reg:5000/a/b:1", "my.reg-5000_a_b-1", "my.reg-5000/a/b:1"),
      ("[::1]:5000/a:1", "[--1]-5000_a-1", "1-5000/a:1"), ("Reg.x/a:1", "Reg.x_a-1", "reg.x/a:1"),
      ("quay.io/a:1@sha256:\(hex)", "quay.io_a-1@sha256-\(hex)", "a:1@sha256:\(hex)"),
    ])
  func names(text: String, archive: String, push: String) throws {
    let reference = try ImageReference(text)
    #expect(try reference.archivePath().description == "images/\(archive).tar.gz")
    #expect(reference.pushName() == push)
    #expect((try? ImageReference("localhost:35000/\(reference.pushName())")) != nil)
  }

  @Test func `A name too long for a file system is refused`() throws {
    let text = "q.io/\(String(repeating: "x", count: 200)):\(String(repeating: "y", count: 100))"
    let reference = try ImageReference(text)
    let other = try ImageReference(text + "z")
    #expect(try reference.archivePath().description.hasSuffix(".tar.gz"))
    #expect(reference.archiveName.utf8.count <= 255 && reference.archiveName != other.archiveName)
  }

  @Test func `Configured registries are stripped`() throws {
    let reference = try ImageReference("mcr.microsoft.com/oss/a:1")
    #expect(reference.pushName() == "mcr.microsoft.com/oss/a:1")
    #expect(reference.pushName(strippedRegistries: ["mcr.microsoft.com"]) == "oss/a:1")
  }

  @Test(arguments: [
    ("quay.io/a_b:1", "quay.io/a/b:1"), ("quay.io/a:b-1", "quay.io/a:B-1"),
    ("quay.io/app-1:2", "quay.io/app:1-2"), ("quay.io/a_b/c:1", "quay.io/a/b_c:1"),
  ])
  func `Images with one name for their archives get different ones`(first: String, second: String) throws {
    let references = [try ImageReference(first), try ImageReference(second)]
    var places: Set<[BundlePath]> = []
    for order in [references, references.reversed()] {
      var plan = ImagePlan()
      for reference in order {
        let isNew = [plan.add(reference), plan.add(reference)]
        #expect(isNew == [true, false])
      }
      places.insert(try references.map { try plan.archivePath(of: $0) })
    }
    // The same ones in whatever order they are listed.
    let names = try #require(places.first)
    #expect(places.count == 1)
    #expect(Set(names.map(\.caseFolded)).count == 2)
    #expect(names.contains(try #require(references.min()).archivePath()))
  }

  @Test func `Different content under one push name is refused by name`() throws {
    let content = (Digest(of: [1]), Digest(of: [2]))
    var plan = ImagePlan()
    try plan.bind(try ImageReference("quay.io/a/b:1"), to: content.0)
    try plan.bind(try ImageReference("ghcr.io/a/b:1"), to: content.0)
    try plan.bind(try ImageReference("ghcr.io/a/b:2"), to: content.1)
    try plan.bind(try ImageReference("ghcr.io/a/b@\(content.1)"), to: content.1)
    try plan.bind(try ImageReference("other.io/a/b:1"), to: content.1)
    let error = try #require(
      #expect(throws: ImageNameCollision.self) {
        try plan.bind(try ImageReference("docker.io/a/b:1@\(content.1)"), to: content.1)
      })
    #expect(error.description.contains("ghcr.io/a/b:1") && error.description.contains("docker.io/a/b:1@"))
  }
}
