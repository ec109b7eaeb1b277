using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace MiniCnn.Tests;

public sealed class DownloadTests : IDisposable
{
    readonly string folder = Path.Combine(Path.GetTempPath(), $"MiniCnn-Download-{Path.GetRandomFileName()}");

    public void Dispose()
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    static readonly byte[] right = RandomNumberGenerator.GetBytes(300_000);

    static readonly DatasetSource source = new("some set", "", "", "", ["https://first.example/set/", "https://second.example/"],
        [new("data.gz", right.Length, Convert.ToHexStringLower(SHA256.HashData(right)))]);

    static Answer Good => (stream, _) => Send(stream, right);

    [Fact]
    public async Task A_file_comes_from_the_first_mirror()
    {
        using var server = new HttpsServer(Good, Fail);
        await Download(server);
        AssertDownloaded();
        Assert.Equal(["first.example /set/data.gz"], server.Requests);
    }

    [Fact]
    public async Task Progress_is_told_to_the_end()
    {
        using var server = new HttpsServer(Good, Fail);
        var told = new DownloadReports();
        await Download(server, progress: told);
        Assert.Equal(("data.gz", right.Length, right.Length), told[^1]);
        Assert.All(told, t => Assert.Equal(("data.gz", right.Length), (t.File, t.Total)));
        Assert.Equal(told.Select(t => t.Received).Distinct().Order(), told.Select(t => t.Received));
    }

    public static TheoryData<string, string> Faults => new()
    {
        { "not found", "it answered 404" },
        { "forbidden", "it answered 403" },
        { "redirect to http", "it answered 302" },
        { "html", "it offers 28 bytes instead of 300000" },
        { "html of unknown length", "it sent 28 bytes instead of 300000" },
        { "html of the right length", "it sent 300000 bytes of SHA-256 " },
        { "one bit wrong", "it sent 300000 bytes of SHA-256 " },
        { "one byte short", "it sent 299999 bytes instead of 300000" },
        { "one byte more", "it sends more than 300000 bytes" },
        { "without end", "it sends more than 300000 bytes" },
        { "cut off", "The response ended prematurely" },
        { "closed at once", "" },
    };

    static readonly string[] silences =
        ["silent after connecting", "silent after the request", "silent after the headers", "silent in the middle"];

    static Answer Faulty(string fault)
    {
        byte[] html = "<html>no such bucket</html>\n"u8.ToArray();
        return fault switch
        {
            "not found" => (s, _) => Send(s, html, status: "404 Not Found"),
            "forbidden" => (s, _) => Send(s, right, status: "403 Forbidden"),
            "redirect to http" => (s, _) => Send(s, [], status: "302 Found\r\nLocation: http://first.example/set/data.gz"),
            "html" => (s, _) => Send(s, html),
            "html of unknown length" => (s, _) => Send(s, html, length: ""),
            "html of the right length" => (s, _) => Send(s, [.. html, .. new byte[right.Length - html.Length]]),
            "one bit wrong" => (s, _) => Send(s, [.. right[..^1], (byte)(right[^1] ^ 1)]),
            "one byte short" => (s, _) => Send(s, right[..^1], length: ""),
            "one byte more" => (s, _) => Send(s, [.. right, 0], length: ""),
            "without end" => SendWithoutEnd,
            "cut off" => (s, _) => Send(s, right[..^1], length: "300000"),
            "closed at once" => (s, _) => Task.CompletedTask,
            "silent after the request" => Task (_, stop) => Task.Delay(-1, stop),
            "silent after the headers" => (s, stop) => SendAndStall(s, [], stop),
            "silent in the middle" => (s, stop) => SendAndStall(s, right[..^1], stop),
            "silent after connecting" => HttpsServer.NoHandshake,
            _ => throw new ArgumentException(fault),
        };
    }

    static async Task SendWithoutEnd(Stream stream, CancellationToken stop)
    {
        await Send(stream, right, length: "");
        for (int i = 0; i < 20; i++)        // endless enough
            await stream.WriteAsync(right, stop);
    }

    static async Task SendAndStall(Stream stream, byte[] some, CancellationToken stop)
    {
        await Send(stream, some, length: "300000");
        await Task.Delay(-1, stop);
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_bad_mirror_gives_way_to_the_next(string fault, string _)
    {
        using var server = new HttpsServer(Faulty(fault), Good);
        await Download(server);
        AssertDownloaded();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task When_every_mirror_is_bad_nothing_is_left_behind(string fault, string reason)
    {
        using var server = new HttpsServer(Faulty(fault), Faulty(fault));
        var e = await Assert.ThrowsAsync<DownloadException>(() => Download(server));
        Assert.StartsWith($"data.gz of some set could not be downloaded (first.example: {reason}", e.Message, StringComparison.Ordinal);
        Assert.Contains($"; second.example: {reason}", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        AssertNothing();
    }

    [Fact]
    public Task A_silent_mirror_gives_way_to_the_next() => Task.WhenAll(silences.Select(async fault =>
    {
        using var server = new HttpsServer(Faulty(fault), Good);
        await Download(server, fault, patience: 2);
        AssertDownloaded(fault);
    }));

    // The patience is for all mirrors together: two of them have half of it each.
    [Fact]
    public Task When_every_mirror_is_silent_they_are_given_up() => Task.WhenAll(silences.Select(async fault =>
    {
        using var server = new HttpsServer(Faulty(fault), Faulty(fault));
        var e = await Assert.ThrowsAsync<DownloadException>(() => Download(server, fault, patience: 0.8));
        Assert.Equal("data.gz of some set could not be downloaded "
            + "(first.example: no data for 0.4 s; second.example: no data for 0.4 s)", e.Message);
        AssertNothing(fault);
    }));

    // Slow is not silent: 12 pieces of 0.3 s take longer than a mirror's 3 s, and each is well within them, even if the machine has other work.
    [Fact]
    public async Task A_slow_mirror_is_waited_for()
    {
        Answer slow = async (s, stop) =>
        {
            await Send(s, [], length: "300000");
            foreach (byte[] piece in right.Chunk(right.Length / 12))
            {
                await Task.Delay(300, stop);
                await s.WriteAsync(piece, stop);
            }
        };
        using var server = new HttpsServer(slow, slow);
        await Download(server, patience: 6);
        AssertDownloaded();
    }

    [Fact]
    public async Task A_broken_file_that_is_there_is_replaced_only_by_a_right_one()
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "data.gz"), "mine");
        using (var server = new HttpsServer(Faulty("one bit wrong"), Faulty("cut off")))
            await Assert.ThrowsAsync<DownloadException>(() => Download(server));
        Assert.Equal("mine", File.ReadAllText(Path.Combine(folder, "data.gz")));
        using (var server = new HttpsServer(Good, Fail))
            await Download(server);
        AssertDownloaded();
    }

    [Theory]
    [InlineData("silent after connecting")]
    [InlineData("silent after the request")]
    public async Task Cancelling_ends_the_wait_for_an_answer(string fault)
    {
        using var server = new HttpsServer(Faulty(fault), Good);
        using var cancel = new CancellationTokenSource(200);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Download(server, cancel: cancel.Token));
        AssertNothing();
    }

    [Fact]
    public async Task Cancelling_in_the_middle_leaves_nothing()
    {
        using var server = new HttpsServer(Faulty("silent in the middle"), Good);
        using var cancel = new CancellationTokenSource();
        var told = new DownloadReports { Then = _ => cancel.Cancel() };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Download(server, progress: told, cancel: cancel.Token));
        Assert.NotEmpty(told);
        AssertNothing();
    }

    [Fact]
    public async Task Only_https_is_used()
    {
        using var server = new HttpsServer(Good, Good);
        var plain = source with { Mirrors = ["http://first.example/set/", "ftp://second.example/"] };
        var e = await Assert.ThrowsAsync<DownloadException>(() =>
            new Downloader(server.Handler).DownloadAsync(plain, plain.Files, folder, null, default));
        Assert.Equal("data.gz of some set could not be downloaded "
            + "(first.example: the address must be https, not http; second.example: the address must be https, not ftp)", e.Message);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_certificate_that_nobody_vouches_for_is_refused()
    {
        using var server = new HttpsServer(Good, Good);
        server.Handler.SslOptions.CertificateChainPolicy = null;
        var e = await Assert.ThrowsAsync<DownloadException>(() => Download(server));
        Assert.Contains("certificate", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_said_so()
    {
        File.WriteAllText(folder, "a file");
        try
        {
            using var server = new HttpsServer(Good, Good);
            var e = await Assert.ThrowsAsync<DownloadException>(() => Download(server));
            Assert.Contains(folder, e.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(folder);
        }
    }

    [Fact]
    public async Task Whatever_goes_wrong_is_told_in_one_line()
    {
        using var handler = new Broken();
        var downloader = new Downloader(handler);
        var e = await Assert.ThrowsAsync<DownloadException>(() => downloader.DownloadAsync(source, source.Files, folder, null, default));
        Assert.Equal("data.gz of some set could not be downloaded (first.example: two lines; second.example: no right to write here)", e.Message);
    }

    sealed class Broken : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw (request.RequestUri!.Host == "first.example"
                ? new HttpRequestException("outer", new IOException("two\nlines."))
                : new UnauthorizedAccessException("no right to write here"));
    }

    // The list that is in the library is the one in the repository's datasets folder, and says what a downloader needs.
    [Fact]
    public void The_list_of_sources_is_sound()
    {
        Assert.Equal(["mnist", "fashion-mnist", "cifar10", "cats-vs-dogs"], DatasetSource.All.Select(s => s.Name));
        Assert.Equal([4, 4, 1, 1], DatasetSource.All.Select(s => s.Files.Length));
        Assert.Equal([false, false, true, true], DatasetSource.All.Select(s => s.Files[0].Archive is not null));
        Assert.All(DatasetSource.All, s =>
        {
            Assert.All(s.Mirrors, mirror => Assert.Matches("^https://.+/$", mirror));
            Assert.All(s.Files, file => Assert.Matches("^[0-9a-f]{64}$", file.Sha256));
            Assert.All(s.Files, file => Assert.True(file.Size > 0 && file.Name == Path.GetFileName(file.Name)));
            Assert.All(new[] { s.Title, s.Home, s.Licence }, Assert.NotEmpty);
            Assert.All(s.Files.Select(file => file.Archive).OfType<DatasetArchive>(), archive =>
            {
                Assert.Matches("^[A-Za-z0-9-]+$", archive.Folder);
                Assert.All(archive.Members, member => Assert.Matches("^([A-Za-z]+/)?[a-z_#]+[.][a-z]+$", member));
                Assert.InRange(archive.MaxBytes, archive.Files, 4_000_000_000);
            });
        });
    }

    Task Download(
        HttpsServer server, string inside = "", double patience = 60,
        IProgress<(string, long, long)>? progress = null, CancellationToken cancel = default) =>
        new Downloader(server.Handler) { Patience = TimeSpan.FromSeconds(patience) }
            .DownloadAsync(source, source.Files, Path.Combine(folder, inside), progress, cancel)
            .WaitAsync(TimeSpan.FromSeconds(60), CancellationToken.None);       // a stall that is never given up fails, not hangs

    void AssertDownloaded(string inside = "")
    {
        string path = Assert.Single(Directory.EnumerateFileSystemEntries(Path.Combine(folder, inside)));
        Assert.Equal("data.gz", Path.GetFileName(path));
        Assert.Equal(right, File.ReadAllBytes(path));
    }

    void AssertNothing(string inside = "")
    {
        string path = Path.Combine(folder, inside);
        Assert.Empty(Directory.Exists(path) ? Directory.EnumerateFileSystemEntries(path) : []);
    }

    static Task Fail(Stream stream, CancellationToken stop) => throw new InvalidOperationException("the second mirror was asked");

    /// <summary>Answers with a body. If <paramref name="length"/> is empty, no length is announced, and the end of the connection ends the body.</summary>
    static async Task Send(Stream stream, byte[] body, string status = "200 OK", string? length = null)
    {
        string announced = length == "" ? "" : FormattableString.Invariant($"Content-Length: {length ?? $"{body.Length}"}\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\n{announced}Connection: close\r\n\r\n"));
        await stream.WriteAsync(body);
        await stream.FlushAsync();
    }

    delegate Task Answer(Stream stream, CancellationToken stop);

    /// <summary>An HTTPS server on the loopback device that acts as both mirrors, and a handler that directs all connections to it.</summary>
    sealed class HttpsServer : IDisposable
    {
        static readonly X509Certificate2 certificate = Certificate();

        readonly TcpListener listener = new(IPAddress.Loopback, 0);
        readonly CancellationTokenSource stop = new();
        readonly Answer first, second;

        public static Answer NoHandshake { get; } = (_, stop) => Task.Delay(-1, stop);

        public List<string> Requests { get; } = [];

        public SocketsHttpHandler Handler { get; }

        public HttpsServer(Answer first, Answer second)
        {
            (this.first, this.second) = (first, second);
            listener.Start();
            Handler = new SocketsHttpHandler
            {
                SslOptions =
                {
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        CustomTrustStore = { certificate },
                        RevocationMode = X509RevocationMode.NoCheck,
                    },
                },
                ConnectCallback = async (context, cancel) =>
                {
                    var client = new TcpClient();
                    await client.ConnectAsync((IPEndPoint)listener.LocalEndpoint, cancel);
                    var server = Serve(await listener.AcceptTcpClientAsync(cancel), context.DnsEndPoint.Host);
                    return client.GetStream();
                },
            };
        }

        async Task Serve(TcpClient connection, string host)
        {
            using var owned = connection;
            var answer = host == "first.example" ? first : second;
            try
            {
                if (answer == NoHandshake)
                    await answer(Stream.Null, stop.Token);
                using var stream = new SslStream(connection.GetStream());
                await stream.AuthenticateAsServerAsync(certificate);
                using var reader = new StreamReader(stream, leaveOpen: true);
                Requests.Add($"{host} {(await reader.ReadLineAsync(stop.Token))!.Split(' ')[1]}");
                while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 })
                {
                }
                await answer(stream, stop.Token);
                await stream.ShutdownAsync();
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The client has hung up, or the test is over.
            }
        }

        public void Dispose()
        {
            stop.Cancel();
            stop.Dispose();
            Handler.Dispose();
            listener.Dispose();
        }

        static X509Certificate2 Certificate()
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=first.example", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("first.example");
            names.AddDnsName("second.example");
            request.CertificateExtensions.Add(names.Build());
            using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);      // Windows wants the key in a store
        }
    }
}
