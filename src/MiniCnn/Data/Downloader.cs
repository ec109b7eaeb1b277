using System.Security.Cryptography;
using Progress = System.IProgress<(string File, long Received, long Total)>;

namespace MiniCnn;

/// <summary>A data set could not be downloaded from any mirror, or could not be stored. The message is one line with the reasons.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">The exception of the last attempt.</param>
public sealed class DownloadException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>Downloads files over HTTPS, from the first mirror that sends the correct bytes, verified by size and SHA-256.</summary>
/// <remarks>
/// A file appears under its name only when it is complete, verified and flushed to the disk; the folder of an archive only when it is completely unpacked.
/// </remarks>
/// <param name="handler">Replaces the network in tests.</param>
sealed class Downloader(HttpMessageHandler? handler = null)
{
    /// <summary>Timeout without received data, divided equally among the mirrors.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Downloads files of a data set into a folder, and unpacks archives. The folder is created when a mirror answers.</summary>
    /// <exception cref="DownloadException">
    /// No mirror sent the correct bytes of a file, or the file could not be stored. Files that were completed before are kept.
    /// </exception>
    public async Task DownloadAsync(
        DatasetSource source, IEnumerable<DatasetFile> files, string folder, Progress? progress, CancellationToken cancel)
    {
        using HttpClient client = new(handler ?? new SocketsHttpHandler(), disposeHandler: handler is null);
        client.Timeout = Timeout.InfiniteTimeSpan;
        bool made = !Directory.Exists(folder);
        foreach (DatasetFile file in files)
        {
            string part = Path.Combine(folder, $"{file.Name}.{Path.GetRandomFileName()}.part");
            try
            {
                await FetchFromAnyAsync(client, source, file, part, progress, cancel);
                if (file.Archive is DatasetArchive wanted)
                    Unpacker.Unpack(part, wanted, folder, progress, cancel);
                else
                    File.Move(part, Path.Combine(folder, file.Name), overwrite: true);
            }
            catch (Exception e) when (e is InvalidDataException or UnauthorizedAccessException or IOException and not DownloadException)
            {
                throw new DownloadException($"{file.Name} of {source.Name} was downloaded, but could not be stored in {folder} ({OneLine(e)})", e);
            }
            finally
            {
                if (File.Exists(part))
                    File.Delete(part);
                if (made && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
                    Directory.Delete(folder);
            }
        }
    }

    async Task FetchFromAnyAsync(
        HttpClient client, DatasetSource source, DatasetFile file, string part, Progress? progress, CancellationToken cancel)
    {
        TimeSpan silence = Patience / source.Mirrors.Length;
        List<string> failures = new();
        Exception? last = null;
        foreach (string mirror in source.Mirrors)
        {
            Uri address = new(mirror + file.Name);
            try
            {
                await FetchAsync(client, address, file, part, silence, progress, cancel);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException
                or UnauthorizedAccessException or OperationCanceledException)
            {
                cancel.ThrowIfCancellationRequested();
                last = e;
                string reason = e is OperationCanceledException
                    ? FormattableString.Invariant($"no data for {silence.TotalSeconds:0.#} s")
                    : OneLine(e);
                failures.Add($"{address.Host}: {reason}");
            }
        }
        throw new DownloadException($"{file.Name} of {source.Name} could not be downloaded ({string.Join("; ", failures)})", last);
    }

    static string OneLine(Exception e) => e.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.');

    /// <summary>Downloads a file from one address and verifies it; throws if it is not correct.</summary>
    static async Task FetchAsync(
        HttpClient client, Uri address, DatasetFile file, string part, TimeSpan silence, Progress? progress, CancellationToken cancel)
    {
        if (address.Scheme != Uri.UriSchemeHttps)
            throw new InvalidDataException($"the address must be https, not {address.Scheme}");
        using CancellationTokenSource answer = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        answer.CancelAfter(silence);
        using HttpResponseMessage response = await client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, answer.Token);
        if (!response.IsSuccessStatusCode)
            throw new InvalidDataException($"it answered {(int)response.StatusCode}");
        if (response.Content.Headers.ContentLength is long announced && announced != file.Size)
            throw new InvalidDataException($"it offers {announced} bytes instead of {file.Size}");

        Directory.CreateDirectory(Path.GetDirectoryName(part)!);
        using FileStream disk = new(part, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        using Stream body = await response.Content.ReadAsStreamAsync(answer.Token);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        long received = 0;
        int count;
        while ((count = await body.ReadAsync(buffer, answer.Token)) > 0)
        {
            answer.CancelAfter(Timeout.InfiniteTimeSpan);       // the timeout must not count the time of a slow disk
            received += count;
            if (received > file.Size)
                throw new InvalidDataException($"it sends more than {file.Size} bytes");
            hash.AppendData(buffer, 0, count);
            disk.Write(buffer, 0, count);
            progress?.Report((file.Name, received, file.Size));
            answer.CancelAfter(silence);
        }
        if (received < file.Size)
            throw new InvalidDataException($"it sent {received} bytes instead of {file.Size}");
        string sha256 = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (sha256 != file.Sha256)
            throw new InvalidDataException($"it sent {file.Size} bytes of SHA-256 {sha256} instead of {file.Sha256}");
        disk.Flush(flushToDisk: true);
    }
}
