export const id = 508;
export const ids = [508];
export const modules = {

/***/ 3508:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

// ESM COMPAT FLAG
__webpack_require__.r(__webpack_exports__);

// EXPORTS
__webpack_require__.d(__webpack_exports__, {
  openContainer: () => (/* binding */ openContainer)
});

// EXTERNAL MODULE: ./node_modules/@azure/storage-blob/dist/esm/index.js + 153 modules
var esm = __webpack_require__(728);
// EXTERNAL MODULE: ./build/azure/blob-error.js
var blob_error = __webpack_require__(2082);
// EXTERNAL MODULE: ./build/azure/blob-put.js
var blob_put = __webpack_require__(769);
// EXTERNAL MODULE: ./build/azure/http.js
var http = __webpack_require__(9814);
// EXTERNAL MODULE: ./build/azure/passing.js
var passing = __webpack_require__(8167);
;// CONCATENATED MODULE: ./build/azure/blob-retry.js



/** What is done unless said otherwise: seven attempts, and a quarter of an hour of patience with a busy account. */
const BLOB_RETRY = {
    attempts: 7,
    busyAttempts: 40,
    firstWait: 800,
    longestWait: 60_000,
    budget: 15 * 60_000,
    timeout: 300_000,
};
const BUSY = new Set([429, 503]);
/** The storage client's own codes for a request that was cut, or whose answer was. */
const CUT_CODES = new Set(['REQUEST_SEND_ERROR', 'PARSE_ERROR']);
/** The attempts of one container; `url` is named in messages without its query. */
function createAttempt(url, parts) {
    const { clock, signal, retry = BLOB_RETRY, onBusy = () => { }, onRetry = () => { } } = parts;
    return async (doing, request) => {
        let waited = 0;
        for (let turn = 1;; turn += 1) {
            signal?.throwIfAborted();
            const limit = limitTime(retry.timeout, signal);
            try {
                return await request(limit.signal);
            }
            catch (thrown) {
                signal?.throwIfAborted();
                const error = limit.isOver() ? new Error(`no answer within ${retry.timeout / 1000} s`) : thrown;
                const { status, code, headers } = (0,blob_error/* refusalOf */.Of)(error);
                const busy = BUSY.has(status);
                if (busy)
                    onBusy();
                const most = busy ? retry.busyAttempts : retry.attempts;
                const wait = (0,http/* retryAfter */.P9)(headers, clock.now()) ?? backOff(turn, retry, clock.random());
                const silent = status === 0 && (limit.isOver() || passing/* PASSING_CODES */.x.has(code ?? '') || CUT_CODES.has(code ?? ''));
                if (!(silent || passing/* PASSING_STATUS */.fO.has(status)) || turn >= most || waited + wait > retry.budget) {
                    throw (0,blob_error/* explainBlobError */.vC)(error, doing, url);
                }
                const seen = status === 0 ? (code ?? 'no answer') : `HTTP ${status}`;
                onRetry(`${(0,http/* hostOf */.w4)(url)}: ${seen} (${doing}); again in ${(wait / 1000).toFixed(1)} s`);
                waited += wait;
                await clock.sleep(wait, signal);
            }
            finally {
                limit.end();
            }
        }
    };
}
/** A signal that follows another one and ends by itself; unlike AbortSignal.timeout it leaves nothing behind when ended. */
function limitTime(ms, signal) {
    const controller = new AbortController();
    const follow = () => controller.abort(signal?.reason);
    let over = false;
    const timer = setTimeout(() => {
        over = true;
        controller.abort();
    }, ms);
    signal?.addEventListener('abort', follow);
    return {
        signal: controller.signal,
        isOver: () => over,
        end: () => {
            clearTimeout(timer);
            signal?.removeEventListener('abort', follow);
        },
    };
}
function backOff(turn, { firstWait, longestWait }, random) {
    return Math.min(longestWait, firstWait * 2 ** (turn - 1)) * (0.5 + random / 2);
}

// EXTERNAL MODULE: ./build/azure/cloud.js
var cloud = __webpack_require__(6785);
// EXTERNAL MODULE: ./build/azure/loopback.js
var loopback = __webpack_require__(9715);
;// CONCATENATED MODULE: ./build/azure/blob.js
// Blobs of one container, reached with a signed URL or an account key: put, look, mark, list, read. A bearer token has
// no way in here. What is uploaded and where is not known here; what refusals mean is blob-error.ts's.







const BLOCK = 4 * 1024 * 1024;
const PIECE = 8 * 1024 * 1024;
/** Opens a container. No request is sent yet. */
function openContainer(access, parts) {
    const { slots, block = BLOCK } = parts;
    const { url } = access;
    const client = clientOf(access);
    const attempt = createAttempt(url, { ...parts, onBusy: () => slots.slowDown() });
    const send = (doing, request) => slots.run(() => attempt(doing, request));
    const blobOf = (name) => client.getBlockBlobClient(name);
    return {
        url,
        find: (name) => lookAt(blobOf(name), send, `look at ${name}`),
        async put(name, source, { shown = name, onBytes = () => { }, lookFirst = false } = {}) {
            const blob = blobOf(name);
            const doing = `upload ${shown}`;
            const same = async (by) => {
                const found = await lookAt(blob, by, doing);
                return found !== undefined && found.size === source.size && found.md5 === source.md5;
            };
            if (lookFirst && (await same(send))) {
                onBytes(source.size);
                return 'there';
            }
            // Looks within a put happen in the put's own place, so they must not ask for one more.
            return (0,blob_put/* putBlob */.H)({ blob, source, doing, slots, attempt, onBytes, block, isThere: () => same(attempt) });
        },
        mark: async (name, metadata) => {
            await send(`mark ${name}`, (abortSignal) => blobOf(name).setMetadata({ ...metadata }, { abortSignal }));
        },
        list: (prefix) => listBlobs(client, send, prefix, url),
        read: (name, offset, length) => readRange(blobOf(name), send, offset, length),
        pieces: (name) => readPieces(blobOf(name), send),
    };
}
async function lookAt(blob, send, doing) {
    return send(doing, async (abortSignal) => {
        try {
            const { contentLength: size = 0, contentMD5, etag, metadata = {} } = await blob.getProperties({ abortSignal });
            return { name: blob.name, size, md5: base64(contentMD5), etag, metadata };
        }
        catch (error) {
            if ((0,blob_error/* refusalOf */.Of)(error).status === 404)
                return undefined;
            throw error;
        }
    });
}
async function* listBlobs(client, send, prefix, url) {
    let token;
    do {
        const settings = token === undefined ? {} : { continuationToken: token };
        const page = await send(`list the blobs of ${(0,http/* hostOf */.w4)(url)}`, async (abortSignal) => {
            const pages = client.listBlobsFlat({ prefix, abortSignal, includeMetadata: true }).byPage(settings);
            const first = await pages.next();
            return first.done === true ? undefined : first.value;
        });
        for (const { name, properties, metadata = {} } of page?.segment.blobItems ?? []) {
            const { contentLength: size = 0, contentMD5, etag } = properties;
            yield { name, size, md5: base64(contentMD5), etag, metadata };
        }
        token = page?.continuationToken;
    } while (token !== undefined && token !== '');
}
async function readRange(blob, send, offset, length, etag) {
    const got = await send(`read ${blob.name}`, async (abortSignal) => {
        try {
            const conditions = etag === undefined ? {} : { ifMatch: etag };
            const answer = await blob.download(offset, length, { abortSignal, conditions, maxRetryRequests: 0 });
            const pieces = [];
            let size = 0;
            for await (const piece of answer.readableStreamBody ?? []) {
                size += piece.length;
                // An answer without end must not fill the memory.
                if (size > length)
                    return undefined;
                pieces.push(Buffer.from(piece));
            }
            return Buffer.concat(pieces);
        }
        catch (error) {
            // An empty blob, or one that ends before `offset`, has no such range.
            if ((0,blob_error/* refusalOf */.Of)(error).status === 416)
                return Buffer.alloc(0);
            throw error;
        }
    });
    if (got === undefined)
        throw tooMuch(blob.name, length);
    return got;
}
function tooMuch(name, length) {
    const why = `More than the ${length} bytes came that were asked for.`;
    return new blob_error/* BlobError */.K4({ what: `Could not read ${name}.`, why }, 0, undefined);
}
async function* readPieces(blob, send) {
    const doing = `read ${blob.name}`;
    const found = await lookAt(blob, send, doing);
    if (found === undefined) {
        throw new blob_error/* BlobError */.K4({ what: `Could not ${doing}.`, why: 'There is no such blob.' }, 404, 'BlobNotFound');
    }
    for (let offset = 0; offset < found.size;) {
        const piece = await readRange(blob, send, offset, Math.min(PIECE, found.size - offset), found.etag);
        if (piece.length === 0)
            throw new blob_error/* BlobError */.K4({ what: `Could not ${doing}: it ended early.` }, 0, undefined);
        offset += piece.length;
        yield piece;
    }
}
function base64(md5) {
    return md5 === undefined || md5.length === 0 ? undefined : Buffer.from(md5).toString('base64');
}
function clientOf(access) {
    const { protocol, hostname } = new URL(access.url);
    const options = {
        retryOptions: { maxTries: 1 },
        redirectOptions: { maxRetries: 0 },
        ...((0,cloud/* isLoopback */.U9)(hostname) ? { agent: protocol === 'http:' ? loopback/* LOOPBACK_AGENTS */.r.http : loopback/* LOOPBACK_AGENTS */.r.https } : {}),
    };
    const bySas = 'sas' in access;
    const pipeline = (0,esm/* newPipeline */.vC)(bySas ? undefined : new esm/* StorageSharedKeyCredential */.Z3(access.account, access.key), options);
    pipeline.factories.push(LENGTH_OF_RANGE);
    return new esm/* ContainerClient */.bM(bySas ? `${access.url}?${access.sas.replace(/^\?/, '')}` : access.url, pipeline);
}
/** What comes in pieces by way of a gateway may have lost the length that the client wants; the range tells it as well. */
const LENGTH_OF_RANGE = {
    create: (next) => ({
        sendRequest: async (request) => {
            const answer = await next.sendRequest(request);
            const { parsedHeaders: told } = answer;
            const [, from, to] = /^bytes (\d+)-(\d+)\//.exec(answer.headers.get('content-range') ?? '') ?? [];
            if (told !== undefined && told['contentLength'] === undefined && from !== undefined)
                told['contentLength'] = Number(to) - Number(from) + 1;
            return answer;
        },
    }),
};


/***/ })

};
