import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '../src/api/client'
import type { FiledGroup, Filing } from '../src/api/types'
import { check, forgetDraft, useFiling } from '../src/portal/useFiling'
import { pending, settled, unmountAll } from './mounting'

const DRAFT = { enterprise: '示例科技有限公司', contact: '王五', phone: '13800000000', territory: '', text: '厂房漏水，没人来修。' }
const GROUP: FiledGroup = { group: 'g', appeals: [{ number: 'QT20261121-0001', level: 'single', state: 'filed' }] }
const lost = () => new ApiError('断网', 'network')
const conflict = () => new ApiError('编号已用于另一份内容', 'refused', 409, 'conflict')
const filer = () => vi.fn<(filing: Filing) => Promise<FiledGroup>>()

function filled(file: (filing: Filing) => Promise<FiledGroup>) {
  const filing = useFiling(file)
  Object.assign(filing.draft, DRAFT)
  return filing
}

afterEach(unmountAll)

describe('check', () => {
  it('finds nothing wrong with a good draft', () => {
    expect(check(DRAFT)).toEqual({})
    expect(check({ ...DRAFT, phone: '（0571）2000 0000' })).toEqual({})
  })

  it('names each field that is missing or cannot be right', () => {
    expect(Object.keys(check({ enterprise: ' ', contact: '', phone: '123', territory: '', text: '\n' })).sort()).toEqual([
      'contact',
      'enterprise',
      'phone',
      'text',
    ])
    expect(check({ ...DRAFT, text: '长'.repeat(5001) }).text).toContain('5000')
  })
})

describe('useFiling', () => {
  it('sends nothing while something is wrong', async () => {
    const file = filer()
    const filing = useFiling(file)
    await filing.submit()
    expect(file).not.toHaveBeenCalled()
    expect(filing.problems.value.enterprise).toBeTruthy()
  })

  it('files once for two presses', async () => {
    const answer = pending<FiledGroup>()
    const file = filer().mockReturnValue(answer.promise)
    const filing = filled(file)
    const presses = [filing.submit(), filing.submit()]
    answer.resolve(GROUP)
    await Promise.all(presses)
    expect(file).toHaveBeenCalledTimes(1)
    expect(filing.filed.value).toEqual(GROUP)
  })

  it('keeps its key until success, also over a reload, and then takes a new one', async () => {
    const file = filer().mockRejectedValueOnce(lost()).mockResolvedValue(GROUP)
    const first = filled(file)
    await first.submit()
    await settled()
    expect(first.failure.value).toBe('断网')
    const second = useFiling(file)
    expect({ ...second.draft }).toEqual(DRAFT)
    await second.submit()
    expect(file.mock.calls[1]).toEqual(file.mock.calls[0])
    second.another()
    second.draft.text = '另一个问题。'
    await second.submit()
    expect(file.mock.calls[2]![0].idempotency_key).not.toBe(file.mock.calls[0]![0].idempotency_key)
  })

  it('shows what the earlier words became if they arrived after all', async () => {
    const file = filer().mockRejectedValueOnce(lost()).mockRejectedValueOnce(conflict()).mockResolvedValueOnce(GROUP)
    const filing = filled(file)
    await filing.submit()
    filing.draft.text = '改过的描述，还是漏水。'
    await filing.submit()
    expect(file.mock.calls[2]).toEqual(file.mock.calls[0])
    expect(filing.filed.value).toEqual(GROUP)
    expect(filing.earlierWords.value).toBe(true)
    expect(filing.draft.text).toBe('改过的描述，还是漏水。')
  })

  it('files the changed words under the same key if the earlier ones never arrived', async () => {
    const file = filer().mockRejectedValueOnce(lost()).mockResolvedValueOnce(GROUP)
    const filing = filled(file)
    await filing.submit()
    filing.draft.text = '改过的描述。'
    await filing.submit()
    expect(file.mock.calls[1]![0]).toMatchObject({
      text: '改过的描述。',
      idempotency_key: file.mock.calls[0]![0].idempotency_key,
    })
    expect(filing.earlierWords.value).toBe(false)
  })

  it("shows the backend's sentence at its field", async () => {
    const refusal = new ApiError('没有找到这个平台或街道。', 'refused', 422, 'invalid_input', { field: 'territory' })
    const filing = filled(filer().mockRejectedValueOnce(refusal))
    await filing.submit()
    expect(filing.problems.value).toEqual({ territory: '没有找到这个平台或街道。' })
    expect(filing.failure.value).toBe('')
    expect(filing.busy.value).toBe(false)
  })

  it('sends the territory only where one is chosen', async () => {
    const file = filer().mockResolvedValue(GROUP)
    await filled(file).submit()
    expect(file.mock.calls[0]![0]).not.toHaveProperty('territory')
    expect(file.mock.calls[0]![0]).toMatchObject({ channel: 'portal', text: DRAFT.text })
  })

  it('keeps who files for the next appeal, and forgets it on demand', async () => {
    const filing = filled(filer().mockResolvedValue(GROUP))
    await filing.submit()
    expect({ ...filing.draft }).toEqual({ ...DRAFT, text: '' })
    forgetDraft()
    expect(useFiling(filer()).draft.phone).toBe('')
  })
})
